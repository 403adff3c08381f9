"""What a plan picks has to be there in every picture."""

import pytest

from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.study.picks import check_picks, fewest_patches

SIZES = [(112, 112), (56, 84), (112, 112)]


def test_the_smallest_picture_is_found(qwen, drawn):
    assert fewest_patches(qwen, drawn(*SIZES)) == (6, "e1")
    assert fewest_patches(qwen, drawn(*SIZES, None)) == (0, "e3")


def test_pictures_with_too_few_patches_are_refused_by_name(planned, drawn):
    check_picks(planned("ivtlr"), drawn(*SIZES))  # two at each of three steps
    with pytest.raises(UserError, match="e2"):
        check_picks(planned("ivtlr"), drawn(*SIZES[:2], (56, 56)))
    with pytest.raises(UserError, match="e1"):
        check_picks(planned("ivtlr"), drawn((112, 112), None))
    check_picks(planned("relay"), drawn((56, 56), None))


def test_picks_that_are_given_need_traces(planned, drawn):
    check_picks(planned("gaze"), load_data("benchmark", limit=2))
    with pytest.raises(UserError):
        check_picks(planned("gaze"), drawn((112, 112)))
