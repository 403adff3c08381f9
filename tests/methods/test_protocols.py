"""Every branch of the prompted methods, seen through a model that says what the test wants."""

import pytest

from latentlab.methods import METHODS
from latentlab.methods.run import run_method
from tests.methods.scripted import Script, example
from tests.tiny.families import TINY


@pytest.fixture(scope="module")
def model():
    return TINY["qwen2_vl"]()


@pytest.fixture
def ask(model):
    """Runs a method on one question with given replies; returns what came of it and the script."""

    def run(method, *lines):
        script = Script(e=lines)
        (told,) = run_method(model, METHODS[method], [example()], speaker=script)
        return told, script

    return run


@pytest.mark.parametrize("method", ["no_cot", "cot"])
def test_one_call_is_read_strictly_behind_its_last_marker(ask, method):
    told, script = ask(method, "A circle? Answer : A . No . Answer : B")
    assert told.answer.choice == 1
    assert told.failures == ()
    assert len(script.calls[0][1].pictures) == 1
    assert "What is shown here?\nA. red circle\nB. blue square" in script.words(0)
    assert 'Write "Answer:"' in script.words(0) or 'write "Answer:"' in script.words(0)


def test_a_reply_without_marker_is_read_as_a_whole_and_counted(ask):
    told, _ = ask("no_cot", "B")
    assert (told.answer.choice, told.failures) == (1, ("no marker",))
    told, _ = ask("no_cot", "A square , or a circle")
    assert (told.answer.choice, told.failures) == (None, ("no marker", "no answer"))
    told, _ = ask("no_cot", "Answer : C")
    assert (told.answer.choice, told.failures) == (None, ("no answer",))


@pytest.mark.parametrize(
    ("graph", "failures"),
    [
        ('Here: ```json\n{"objects": ["$circle"]}\n```', ()),
        ('{"objects": ["circle"', ("no JSON object",)),
        ("[1, 2]", ("no JSON object",)),
        ("", ("no JSON object",)),
    ],
)
def test_ccot_hands_its_graph_on_as_it_stands(ask, graph, failures):
    told, script = ask("ccot", graph, "Answer : B")
    assert told.failures == failures
    assert told.answer.choice == 1
    assert "JSON" in script.words(0)
    assert f"Scene graph:\n{graph}\n" in script.words(1)
    assert [len(call.pictures) for _, call in script.calls] == [1, 1]
    assert script.calls[0][1].longest == 256


def test_multimodal_cot_puts_the_rationale_into_the_second_prompt(ask):
    told, script = ask("multimodal_cot", "It is blue .", "Answer : B")
    assert "Rationale: It is blue ." in script.words(1)
    assert "Rationale:" not in script.words(0)
    assert told.failures == ()
    assert ask("multimodal_cot", "", "Answer : B")[0].failures == ("no rationale",)


def test_costs_of_all_calls_are_added_up(ask):
    told, _ = ask("ccot", "{}", "Answer : B")
    assert (told.answer.new_tokens, told.answer.latent_steps) == (6, 2)
    assert told.answer.autoregressive_steps == 8
    assert (told.forward_tokens, told.pictures, told.answer.seconds) == (20, 2, 1.0)
