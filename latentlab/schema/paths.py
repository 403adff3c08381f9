"""Whether something is there, for whatever a user may have written as a path.

`Path.exists` and its like raise where a name is longer than the system takes.
"""

from pathlib import Path


def exists(path: Path) -> bool:
    """Whether there is a file, a folder or anything else."""
    try:
        return bool(str(path)) and path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder."""
    return exists(path) and path.is_dir()
