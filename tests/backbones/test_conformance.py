"""What must hold of every family, on a tiny model of its real configuration class."""

import pytest

from latentlab.backbones import FAMILIES
from latentlab.check.checks import CHECKS
from latentlab.check.material import Material, material_of
from tests.tiny.families import TINY


@pytest.fixture(scope="module", params=TINY)
def material(request) -> Material:
    return material_of(TINY[request.param]())


@pytest.mark.parametrize("name", CHECKS)
def test_a_family_conforms(material, name):
    assert CHECKS[name].measure(material) <= CHECKS[name].tolerance


def test_every_family_has_a_tiny_model():
    assert set(TINY) == set(FAMILIES)
