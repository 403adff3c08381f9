"""The public names: all there, all found by completion, none imported before it is used."""

import subprocess
import sys
from importlib import import_module

import pytest

import latentlab


def test_every_public_name_is_there_and_is_what_its_module_holds():
    for name in latentlab.__all__:
        value = getattr(latentlab, name)
        if name != "__version__":
            home = import_module(f"latentlab.{latentlab._NAMES[name]}")
            assert getattr(home, name) is value
            assert value.__doc__
    scope = {}
    exec("from latentlab import *", scope)
    assert set(latentlab.__all__) <= set(scope)


def test_completion_offers_every_public_name_once():
    offered = dir(latentlab)
    assert set(latentlab.__all__) <= set(offered)
    assert len(offered) == len(set(offered))
    assert len(latentlab.__all__) == len(set(latentlab.__all__))
    for name in ("Add", "Patch", "Vector", "Knockout", "Reasoner", "load", "run_arms"):
        assert name in latentlab.__all__


def test_what_type_checkers_are_told_is_what_is_there():
    source = import_module("inspect").getsource(latentlab)
    told = {line.split(" as ")[1] for line in source.splitlines() if line.startswith("    from ")}
    assert told == set(latentlab._NAMES)


def test_what_is_no_public_name_is_refused_as_usual():
    with pytest.raises(AttributeError, match="module 'latentlab' has no attribute 'Reasonr'"):
        latentlab.Reasonr  # noqa: B018
    with pytest.raises(ImportError, match="Reasonr"):
        from latentlab import Reasonr  # noqa: F401


def test_nothing_is_imported_before_it_is_used():
    script = (
        "import sys\n"
        "import latentlab\n"
        "assert set(latentlab.__all__) <= set(dir(latentlab))\n"
        "assert latentlab.__version__\n"
        "heavy = {'torch', 'transformers', 'pandas', 'numpy', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "from latentlab import LatentPlan\n"
        "assert LatentPlan(steps=2, k=1).steps == 2\n"
        "latentlab.Reasoner\n"
        "assert 'torch' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
