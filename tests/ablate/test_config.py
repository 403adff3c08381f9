"""Flags that cannot be meant together are refused, and numbers are read."""

import pytest

from latentlab.ablate.config import AblateConfig, numbers
from latentlab.errors import UserError


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"at": (1,), "steps": "0..2"}, "--at"),
        ({"part": ("latent",)}, "--part"),
        ({"part": ("latent",), "drop": ("latent",)}, "--part"),
        ({"sigma": (2.0,), "replace": ("zero",)}, "--sigma"),
        ({"sigma": (-1.0,), "replace": ("noise",)}, "--sigma"),
        ({"sigma": (float("nan"),), "replace": ("noise",)}, "--sigma"),
        ({"sigma": (), "replace": ("noise",)}, "--sigma"),
        ({"context": ("frozen",)}, "--context"),
        ({"context": (), "at": (1,)}, "--context"),
        ({"at": ("each", 2)}, "--at each"),
        ({"reuse": True}, "--reuse"),
        ({"reuse": True, "select": ("all", "none")}, "--reuse"),
        ({"reference": 1, "replace": ("other",)}, "--reference"),
        ({"reference": 10}, "--reference"),
        ({"hop": 2}, "--hop"),
        ({"hop": 0, "mask_evidence": True}, "--hop"),
        ({"keep_norm": True, "replace": ("unit_noise",)}, "--keep-norm"),
        ({"noise_seeds": 0, "replace": ("noise",)}, "--noise-seeds"),
        ({"max_new_tokens": 0}, "--max-new-tokens"),
        ({"list_necessary": True, "k": "0..2"}, "--list-necessary"),
        ({"list_necessary": True, "replace": ("zero",)}, "--list-necessary"),
        ({"steps": "3..1"}, "--steps"),
        ({"k": "-1"}, "--k"),
        ({"k": "many"}, "--k"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(flags, named):
    with pytest.raises(UserError, match=f"^{named}"):
        AblateConfig(**flags)


def test_numbers_are_ranges_or_lists():
    assert numbers("0..3", "--k") == (0, 1, 2, 3)
    assert numbers("3,1,3", "--k") == (3, 1)
    assert numbers("2", "--k") == (2,)
    assert numbers("", "--k") == ()
