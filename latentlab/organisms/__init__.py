"""The command that trains the embedded organisms."""
