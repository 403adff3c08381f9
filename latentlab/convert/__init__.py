"""The command that turns a published IVT-LR checkpoint into a folder, and back."""
