"""Puts `experiments/` into the wheel; everything else about the package is in pyproject.toml.

The files that make one table or figure each stay at the top of a checkout, where they are read
first. An installed package has no top: there they lie in `latentlab/figures/_experiments`, which
`latentlab.figures.config.EXPERIMENTS` finds.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithExperiments(build_py):
    """Copies the experiments beside the modules that run them."""

    def run(self) -> None:
        """Build as usual; an editable install reads them where they are."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "latentlab" / "figures" / "_experiments"
            unread = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree("experiments", target, ignore=unread, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithExperiments})
