"""Prompts say what a format says, and what a model writes is read back by the same rules."""

import pytest
import torch

from latentlab.data import Benchmark, BenchmarkConfig, Example
from latentlab.errors import UserError
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind

PLAIN = LatentPlan(steps=0)


@pytest.fixture(scope="module")
def benchmark():
    return Benchmark(BenchmarkConfig(size=4))


def text_of(reasoner, batch, row=0):
    tokens = reasoner.prompter.tokenizer.convert_ids_to_tokens(batch.input_ids[row].tolist())
    return " ".join(tokens)


def test_prompts_are_padded_on_the_left(reasoner, examples):
    batch = reasoner.prompter.batch(examples, PLAIN)
    for i, example in enumerate(examples):
        alone = reasoner.prompter.batch([example], PLAIN)
        padding = batch.input_ids.shape[1] - alone.input_ids.shape[1]
        assert torch.equal(batch.input_ids[i, padding:], alone.input_ids[0])
        assert batch.attention_mask[i].tolist() == [False] * padding + [True] * len(
            alone.input_ids[0]
        )
        assert (batch.input_ids[i, :padding] == reasoner.prompter.pad_id).all()
    assert batch.examples == ("e0", "e1", "e2")


def test_one_image_token_for_each_patch(qwen, chameleon, examples):
    for reasoner, sizes in ((qwen, [6, 9, 8]), (chameleon, [16, 16, 16])):
        ids = reasoner.prompter.batch(examples, PLAIN).input_ids
        assert (ids == reasoner.backbone.image_token_id).sum(-1).tolist() == sizes


def test_choices_stand_in_the_prompt_by_letter(chameleon, examples):
    """And a tokenizer without a chat template shows the picture before the question."""
    assert chameleon.prompter.tokenizer.chat_template is None
    text = text_of(chameleon, chameleon.prompter.batch(examples[:1], PLAIN))
    image = "<racm3:break>" + " <image>" * 16 + " <eoss>"
    assert text == f"{image} Follow one hop . A . red circle B . red square"


def test_choices_stay_out_of_the_prompt_where_the_format_says_so(qwen, examples):
    assert "circle" not in text_of(qwen, qwen.prompter.batch(examples[:1], PLAIN))


def test_a_question_without_choices_or_picture_stands_alone(chameleon):
    example = Example("x", "Follow two", (), "", None)
    batch = chameleon.prompter.batch([example], PLAIN)
    assert text_of(chameleon, batch) == "Follow two"
    assert not batch.pixels


def test_text_after_the_latents_is_rationale_then_marked_answer(chameleon):
    steps = ("red circle", "red square", "one")
    prompter = chameleon.prompter
    example = Example("x", "Follow", ("two", "one"), "one", None, rationale=steps)
    marker = ["Answer", ":"]
    assert prompter.tokenizer.convert_ids_to_tokens(prompter.marker_ids) == marker
    for skip, rationale in (
        (None, []),
        (0, ["red", "circle", "red", "square", "one"]),
        (2, ["one"]),
    ):
        text = prompter.continuation([example], skip)
        tokens = prompter.tokenizer.convert_ids_to_tokens(text.ids[0].tolist())
        assert tokens == [*rationale, *marker, "B", "<eos>"]
        kinds = [Kind.RATIONALE] * len(rationale) + [Kind.ANSWER] * 4
        assert text.kinds[0].tolist() == kinds
    assert torch.equal(
        prompter.continuation([example], 3).ids, prompter.continuation([example], None).ids
    )


def test_texts_of_different_length_are_padded_on_the_right(chameleon):
    short = Example("x", "Follow", ("two", "one"), "one", None)
    long = Example("y", "Follow", ("two", "one"), "two", None, rationale=("red", "red"))
    text = chameleon.prompter.continuation([short, long], 0)
    assert text.kinds.tolist() == [[6] * 4 + [0] * 2, [5] * 2 + [6] * 4]
    assert text.ids[0, 4:].eq(chameleon.prompter.pad_id).all()


def test_written_steps_and_what_follows_are_the_whole_continuation(chameleon):
    tokenizer = chameleon.prompter.tokenizer
    prompter = Prompter(tokenizer, chameleon.backbone, PromptFormat(step_separator=" , "))
    rationales = (("red circle", "one", "two hops"), (), ("two", "red", "one one one"))
    asked = [
        Example(f"e{i}", "Follow", ("two", "one"), "one", None, rationale=steps)
        for i, steps in enumerate(rationales)
    ]
    whole = prompter.continuation(asked, 0)
    for steps in range(4):
        words, text = prompter.written(asked, steps)
        assert len(words) == steps
        for i, example in enumerate(asked):
            written = [w.ids[i][w.kinds[i] == Kind.RATIONALE].tolist() for w in words]
            said = [" ".join(tokenizer.convert_ids_to_tokens(step)) for step in written]
            assert said == ([f"{step} ," for step in example.rationale[:steps]] or [""] * steps)
            assert [bool(w.ended[i]) for w in words] == [bool(example.rationale)] * steps
            kept = text.kinds[i] != Kind.PAD
            left = [token for step in written for token in step], text.ids[i][kept].tolist()
            assert left[0] + left[1] == whole.ids[i][whole.kinds[i] != Kind.PAD].tolist()
            tail = int((whole.kinds[i] == Kind.ANSWER).sum())
            assert text.kinds[i][kept].tolist()[-tail:] == [Kind.ANSWER] * tail
            assert (text.kinds[i][kept][:-tail] == Kind.RATIONALE).all()
        for w in words:  # all end together
            assert (w.kinds[:, -1] == Kind.RATIONALE).equal(w.ended)


def test_refuses_steps_that_cannot_be_written(qwen, chameleon):
    def ask(reasoner, steps, *rationale):
        example = Example("x", "Follow", (), "red circle", None, rationale=rationale)
        return reasoner.prompter.written([example], steps)

    with pytest.raises(UserError, match="x has a rationale of 1 steps, but the plan writes 2"):
        ask(qwen, 2, "red circle")
    assert len(ask(qwen, 2, "red circle", "red square")[0]) == 2
    with pytest.raises(UserError, match=r"x: the 1 steps .* each must be one token"):
        ask(qwen, 1, "red circle red square")
    # Its tokenizer has no line break, which is what separates the steps of this one.
    with pytest.raises(UserError, match="be one token, since the tokenizer drops"):
        ask(chameleon, 1, "red circle")


def test_an_answer_is_its_text_or_its_letter(qwen, chameleon):
    example = Example("x", "Follow", ("red circle", "red square"), "red square", None)
    for reasoner, answer in ((qwen, "red square"), (chameleon, "B")):
        prompter = reasoner.prompter
        ids = prompter.continuation([example], None).ids[0].tolist()
        assert ids == [*prompter.marker_ids, *prompter.answer_ids(answer)]
        assert prompter.decode(prompter.answer_ids(answer)) == answer
        assert ids[-1] == prompter.eos_id


def test_given_picks_are_the_cells_of_the_trace(qwen, benchmark):
    plan = LatentPlan(steps=3, k=2, select="given")
    batch = qwen.prompter.batch([benchmark[0], benchmark[1]], plan)
    assert batch.given_picks.shape == (2, 3, 2)
    for row, example in zip(batch.given_picks, (benchmark[0], benchmark[1]), strict=True):
        for step, picks in enumerate(row.tolist()):
            assert picks == list(example.trace.cells[step : step + 2])
    alone = qwen.prompter.batch([benchmark[0]], plan.replace(k=1)).given_picks
    assert alone[0].flatten().tolist() == list(benchmark[0].trace.cells[1:4])
    more = qwen.prompter.batch([benchmark[0]], plan.replace(k=3)).given_picks
    first, second, third = benchmark[0].trace.cells[:3]
    assert more[0, :2].tolist() == [[first, first, second], [first, second, third]]
    assert qwen.prompter.batch([benchmark[0]], PLAIN.replace(select="given")).given_picks is None


def test_refuses_given_picks_that_no_trace_gives(qwen, chameleon, benchmark, examples):
    plan = LatentPlan(steps=3, k=1, select="given")
    with pytest.raises(UserError, match="but e0 has no trace to take them from"):
        qwen.prompter.batch(examples, plan)
    with pytest.raises(UserError, match="the plan has 9 steps, but traces lead 8 hops on"):
        qwen.prompter.batch([benchmark[0]], plan.replace(steps=9))
    wide = benchmark[0]
    wide = Example(wide.id, wide.question, (), "", examples[0].image, trace=wide.trace)
    with pytest.raises(UserError, match=f"{wide.id} has 6 patches for 16 cells"):
        qwen.prompter.batch([wide], plan)


def test_refuses_prompts_that_do_not_show_the_picture_once(reasoner, examples):
    token = reasoner.backbone.image_token
    asked = Example("x", f"What is {token} here", (), "", None)
    with pytest.raises(UserError, match="x: the prompt has 1 image tokens for 0 patches"):
        reasoner.prompter.batch([asked], PLAIN)
    tokenizer = reasoner.prompter.tokenizer
    template = tokenizer.chat_template
    tokenizer.chat_template = "{{ messages[0]['content'][1]['text'] }}"
    try:
        with pytest.raises(UserError, match="e0: the prompt has 0 image tokens"):
            reasoner.prompter.batch(examples, PLAIN)
    finally:
        tokenizer.chat_template = template


def test_a_tokenizer_without_padding_pads_with_its_end(chameleon):
    tokenizer = chameleon.prompter.tokenizer
    pad = tokenizer.pad_token
    tokenizer.pad_token = None
    try:
        prompter = Prompter(tokenizer, chameleon.backbone, PromptFormat())
        assert prompter.pad_id == prompter.eos_id == 1
    finally:
        tokenizer.pad_token = pad


def test_formats_refuse_contradictions():
    with pytest.raises(UserError, match="choices_in_prompt=true"):
        PromptFormat(choices_in_prompt=False)
    with pytest.raises(UserError, match="answer_form is 'number'; known: index, letter, text"):
        PromptFormat(answer_form="number")
    with pytest.raises(UserError, match="unknown field 'answer_from'; did you mean 'answer_form'"):
        PromptFormat.from_dict({"answer_from": "text"})
    assert PromptFormat.from_dict({"joint": ""}) == PromptFormat(joint="")
    refused = r"question_form is .*may hold \$image, \$question only"
    for form in ("$questoin", "no question", "$question $", "$question $choice"):
        with pytest.raises(UserError, match=refused):
            PromptFormat(question_form=form)
    with pytest.raises(UserError, match=r"option_form is .*has to hold \$choice"):
        PromptFormat(option_form="$letter")
