"""Rows begin with who was asked what, further groups among it."""

import pytest

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.study.identity import group_columns, identity


def test_groups_are_columns_of_their_own_names():
    plain = Example("e", "?", (), "", None, domain="d")
    told = Example("e", "?", (), "", None, domain="d", groups=(("grade", "5"),))
    usual = identity("ivtlr", "mine", plain)
    assert identity("ivtlr", "mine", told) == {**usual, "grade": "5"}
    assert list(usual)[-1] == "question_type"
    assert group_columns([plain, told]) == {"grade": [None, "5"]}
    assert group_columns([plain]) == {}


@pytest.mark.parametrize("name", identity("ivtlr", "mine", Example("e", "?", (), "", None)))
def test_no_group_takes_the_place_of_another_column(name):
    with pytest.raises(UserError, match=f"no group can be called '{name}', which is a column"):
        Example("e", "?", (), "", None, groups=((name, "x"),))
