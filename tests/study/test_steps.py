"""Models that were trained for several calls are refused where one plain call is read."""

from dataclasses import replace

import pytest

from latentlab.commands import COMMANDS
from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.study.instrument import Subject, instrument
from latentlab.study.steps import one_call

READERS = ("attention", "probe", "lens", "patch")


def trained_for(planned, method):
    reasoner = planned("no_cot", "twin")
    reasoner.method = method
    return Subject(reasoner, load_data("benchmark:size=4"))


@pytest.mark.parametrize("method", ["multimodal_cot", "scaffold", "chain_of_focus"])
def test_other_pictures_and_several_calls_are_told_in_one_line(planned, method):
    with pytest.raises(UserError) as told:
        one_call(trained_for(planned, method), "probes")
    said = str(told.value)
    assert said.startswith("probes need one call about the plain question, and twin was trained")
    assert method in said
    assert "\n" not in said


@pytest.mark.parametrize("method", ["", "ccot", "capimagine"])
def test_one_plain_call_is_let_pass(planned, method):
    assert one_call(trained_for(planned, method), "probes")


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_them_before_anything_runs(planned, name):
    found = instrument(name)
    told = []
    subject = replace(trained_for(planned, "scaffold"), lacks=told.append)
    assert found.prepare(COMMANDS[name].config(), subject) is None
    assert len(told) == 1
