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


def test_capimagine_counts_a_reply_that_imagines_nothing(ask):
    told, script = ask("capimagine", "Imagined picture : a blue square . Answer : B")
    assert told.failures == ()
    assert len(script.calls) == 1
    assert ask("capimagine", "Answer : B")[0].failures == ("nothing imagined",)


def test_scaffold_shows_the_plain_and_the_dotted_picture_or_the_dotted_one(ask):
    told, script = ask("scaffold", "Answer : B")
    plain, dots = script.calls[0][1].pictures
    assert plain.tobytes() == example().image.tobytes()
    assert dots.size == plain.size
    assert dots.tobytes() != plain.tobytes()
    assert script.words(0).startswith("Two images: the second one is the first one with")
    assert (told.failures, told.pictures) == ((), 2)
    _, script = ask("scaffold_one", "Answer : B")
    assert [one.tobytes() for one in script.calls[0][1].pictures] == [dots.tobytes()]
    assert script.words(0).startswith("An image: it is a picture with")


def test_icot_counts_a_reply_without_enough_lines(ask):
    told, script = ask("icot", "one .\ntwo .\nAnswer : B")
    assert told.failures == ()
    plan = script.calls[0][1].plan
    assert (plan.steps, plan.k, plan.pick_order, plan.in_words) == (3, 16, "spatial", True)
    assert ask("icot", "one . Answer :\n\nB")[0].failures == ("no newline",)


def zoom(*box):
    return f'<tool_call>{{"arguments": {{"bbox_2d": {list(box)}, "label": "it"}}}}</tool_call>'


def test_chain_of_focus_without_a_zoom_is_one_call(ask):
    told, script = ask("chain_of_focus", "Answer : B")
    assert (len(script.calls), told.failures, told.pictures) == (1, (), 1)
    assert "80 pixels wide and 60 pixels high" in script.words(0)
    assert len(ask("chain_of_focus", "I see a circle")[1].calls) == 1


def test_chain_of_focus_shows_what_a_box_holds_and_goes_on(ask):
    told, script = ask("chain_of_focus", zoom(20, 20, 40, 40), zoom(0, 0, 80, 60), "Answer : B")
    assert [len(call.pictures) for _, call in script.calls] == [1, 2, 3]
    turns = script.calls[2][1].turns
    assert [turn.speaker for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert turns[1].parts == (zoom(20, 20, 40, 40),)
    # 20 pixels, enlarged by 1.5 and scaled by 2, and the whole, which is not scaled.
    assert abs(turns[2].parts[0].width - 60) <= 2
    assert turns[4].parts[0].size == (80, 60)
    assert (told.failures, told.pictures) == ((), 6)


def test_an_answer_beside_a_zoom_is_an_answer(ask):
    assert len(ask("chain_of_focus", f"{zoom(1, 1, 9, 9)} Answer : B")[1].calls) == 1


@pytest.mark.parametrize(
    ("reply", "failure", "said"),
    [
        (zoom(90, 10, 99, 20), "box outside the picture", "shows nothing"),
        (zoom(-20, -20, 0, 0), "box outside the picture", "shows nothing"),
        (zoom(40, 10, 30, 20), "box outside the picture", "shows nothing"),
        (zoom(1, 2, 3), "bad tool call", "cannot be read"),
        (zoom(1, 2, 3, 10**400), "bad tool call", "cannot be read"),
        ('image_zoom_in_tool("bbox_2d": [1, 2', "bad tool call", "cannot be read"),
        ('{"bbox_2d": [NaN, 1, 2, 3]}', "bad tool call", "cannot be read"),
        ('{"bbox_2d": [true, 1, 2, 3]}', "bad tool call", "cannot be read"),
    ],
)
def test_a_bad_box_is_counted_and_told(ask, reply, failure, said):
    told, script = ask("chain_of_focus", reply, "Answer : B")
    assert told.failures == (failure,)
    assert told.answer.choice == 1
    assert said in script.words(1)
    assert len(script.calls[1][1].pictures) == 1


def test_a_box_half_outside_is_cut_at_the_edge(ask):
    _, script = ask("chain_of_focus", zoom(60, 40, 900, 900), "Answer : B")
    crop = script.calls[1][1].pictures[1]
    assert crop.width * crop.height <= 80 * 60


def test_endless_zoom_ends_after_six_and_one_answer_asked_for(ask):
    told, script = ask("chain_of_focus", *[zoom(20, 20, 40, 40)] * 7)
    assert len(script.calls) == 7
    assert told.failures == ("endless zoom", "no marker", "no answer")
    assert "cannot zoom in again" in script.words(6)
    assert "cannot zoom in again" not in script.words(5)
    told, _ = ask("chain_of_focus", *[zoom(20, 20, 40, 40)] * 6, "Answer : B")
    assert (told.failures, told.answer.choice) == ((), 1)


def test_questions_that_are_done_drop_out(model):
    script = Script(
        a=[zoom(1, 1, 9, 9), zoom(1, 1, 9, 9), "Answer : B"],
        b=["Answer : B"],
        c=[zoom(1, 1, 9, 9), "Answer : A"],
    )
    asked = [example(name) for name in "abc"]
    told = run_method(model, METHODS["chain_of_focus"], asked, speaker=script)
    assert script.rounds == [["a", "b", "c"], ["a", "c"], ["a"]]
    assert [one.answer.choice for one in told] == [1, 1, 0]
    assert [one.answer.new_tokens for one in told] == [9, 3, 6]
