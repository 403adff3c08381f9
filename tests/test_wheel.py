"""What is installed without a checkout does what is documented: a wheel is built and used."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("latentlab", "experiments", "setup.py", "pyproject.toml", "README.md", "LICENSE")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not find_spec("setuptools") or not find_spec("pip"), reason="pip and setuptools build it"
    ),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder in which the unpacked wheel lies, built of a copy of what it is made of."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    unread = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in PARTS:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=unread)
        else:
            shutil.copy(path, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    build += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder), "."]
    done = subprocess.run(build, cwd=source, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the installed package, outside of any checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "300"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )


def test_every_experiment_is_in_the_wheel(installed):
    there = installed / "latentlab" / "figures" / "_experiments"
    for path in (ROOT / "experiments").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            packed = there / path.relative_to(ROOT / "experiments")
            assert packed.read_bytes() == path.read_bytes()


def test_every_file_of_the_package_is_in_the_wheel(installed):
    for path in (ROOT / "latentlab").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert (installed / path.relative_to(ROOT)).is_file(), path


def test_figures_are_made_outside_of_a_checkout(installed, tmp_path):
    done = run(installed, tmp_path, "latentlab.figures", "seeds", "seed_readings")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figures" / "seeds.csv").is_file()
    unknown = run(installed, tmp_path, "latentlab.figures", "no_such_figure")
    assert unknown.returncode == 2 and "there is no experiment" in unknown.stderr


def test_own_runs_are_told_outside_of_a_checkout(installed, tmp_path):
    asked = run(installed, tmp_path, "latentlab.evaluate", "--model", "no_cot", "--limit", "12")
    assert asked.returncode == 0, asked.stderr
    told = run(installed, tmp_path, "latentlab.report", "--model", "no_cot")
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "report.html").is_file()
