"""Shams are as large as the change they stand beside, and touch the same slots."""

import pytest
import torch

from latentlab.interchange.changes import EditedRuns
from latentlab.reasoning.bank import Bank
from latentlab.study.recorded import Recorded

NEEDED, OTHER = 3, 5
PICKS = torch.tensor(
    [
        [[3, 5], [1, 2]],  # needed at step 1, the mark off the walk beside it
        [[0, 1], [2, 3]],  # needed at step 2, the other one never picked
        [[0, 1], [5, 2]],  # needed never picked
    ]
)


def recorded(seed: int, picks=PICKS, text=True) -> Recorded:
    stream = torch.Generator().manual_seed(seed)
    patches = torch.randn(3, 6, 8, generator=stream)
    runs = Recorded(Bank(("a", "b", "c"), None, None), picks, patches)
    texts = torch.randn(3, 2, 8, generator=stream) if text else None
    vision = None if picks is None else runs.at(picks)
    return Recorded(Bank(("a", "b", "c"), texts, vision), picks, patches)


@pytest.fixture
def runs() -> EditedRuns:
    cells = (torch.full((3,), NEEDED), torch.full((3,), OTHER))
    return EditedRuns(recorded(0), recorded(1), recorded(2), *cells, torch.tensor([1, 2, 0]), 0)


def test_the_sharp_change_is_the_needed_patch_and_no_other(runs):
    sharp, every = runs.real("needed"), runs.real("every")
    here = (PICKS == NEEDED)[..., None]
    own, new = runs.own.bank.vision, runs.edited.at(PICKS)
    assert torch.equal(sharp.bank.vision, torch.where(here, new, own))
    assert torch.equal(every.bank.vision, new)
    assert torch.equal(sharp.bank.text, runs.edited.bank.text)
    assert (sharp.vision > 0).tolist() == [[True, False], [False, True], [False, False]]
    assert runs.needed_picked.tolist() == [[True, False], [False, True], [False, False]]
    assert (every.vision > 0).all()


@pytest.mark.parametrize("name", ["permuted", "other_question", "off_walk"])
def test_shams_are_as_large_as_the_change(runs, name):
    real, sham = runs.real("needed"), runs.sham(name)
    for part, steps in (("latent_text", [1]), ("latent_vision", [1, 2]), ("latent", [1, 2])):
        wanted = real.norm(part, steps) * (sham.defined if part != "latent_text" else 1)
        there = sham.defined | (part == "latent_text")
        torch.testing.assert_close(sham.norm(part, steps)[there], wanted[there])
    assert not torch.allclose(sham.bank.text, real.bank.text)
    assert not torch.allclose(sham.bank.vision[:2], real.bank.vision[:2])


def test_a_permuted_change_has_the_same_entries(runs):
    def moved(change):
        return change.bank.vision[0, 0, 0] - runs.own.bank.vision[0, 0, 0]

    real, sham = moved(runs.real("needed")), moved(runs.sham("permuted"))
    torch.testing.assert_close(real.sort().values, sham.sort().values)


def test_another_questions_change_points_where_that_one_does(runs):
    sham, marks = runs.sham("other_question"), runs.edited.patches - runs.own.patches
    put = sham.bank.vision[0, 0, 0] - runs.own.bank.vision[0, 0, 0]
    cosine = torch.nn.functional.cosine_similarity(put, marks[1, NEEDED], dim=0)
    assert cosine.item() == pytest.approx(1)


def test_a_mark_off_the_walk_is_changed_beside_the_needed_one_or_not_at_all(runs):
    sham = runs.sham("off_walk")
    assert sham.defined.tolist() == [True, False, True]
    changed = (sham.bank.vision != runs.own.bank.vision).any(-1)
    assert changed.nonzero().tolist() == [[0, 0, 1]]


def test_putting_back_is_the_very_same_vectors(runs):
    back = runs.sham("self")
    assert torch.equal(back.bank.vision, runs.own.bank.vision)
    assert torch.equal(back.bank.text, runs.own.bank.text)
    assert back.norm("latent", [1, 2]).tolist() == [0, 0, 0]


def test_a_model_without_patches_or_text_has_changes_of_the_other_part():
    cells = (torch.full((3,), NEEDED), torch.full((3,), OTHER), torch.tensor([1, 2, 0]), 0)
    blind = EditedRuns(*(recorded(i, picks=None) for i in range(3)), *cells)
    assert blind.needed_picked is None
    silent = EditedRuns(*(recorded(i, text=False) for i in range(3)), *cells)
    for name in ("permuted", "other_question", "off_walk"):
        torch.testing.assert_close(
            blind.sham(name).norm("latent", [1, 2]),
            blind.real("needed").norm("latent_text", [1, 2]),
        )
        assert blind.sham(name).bank.vision is None
        assert silent.sham(name).bank.text is None
        alone = silent.sham(name)
        assert torch.equal(alone.norm("latent", [1, 2]), alone.norm("latent_vision", [1, 2]))
