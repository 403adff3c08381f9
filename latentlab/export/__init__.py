"""The command that exports examples as a folder."""
