"""Rows begin with who was asked what, and further groups never hide any of it."""

from latentlab.data import Example
from latentlab.study.identity import identity


def test_groups_are_columns_of_their_own_names():
    plain = Example("e", "?", (), "", None, domain="d")
    told = Example("e", "?", (), "", None, domain="d", groups=(("grade", "5"), ("model", "other")))
    usual = identity("ivtlr", "mine", plain)
    assert identity("ivtlr", "mine", told) == {**usual, "grade": "5"}
    assert list(usual)[-1] == "question_type"
