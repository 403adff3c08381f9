"""Named formats word prompts, options and answers as the releases do, and survive being saved."""

import dataclasses
import json

import pytest

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.prompts import PROMPT_FORMATS, Prompter, PromptFormat, prompt_format
from latentlab.reasoning.plan import LatentPlan

ASKED = Example("x", "What is it?", ("a cat", "a $5 {note}"), "a cat", None, context="In a shop.")
WORDED = {
    "own": "In a shop.\nWhat is it?\nA. a cat\nB. a $5 {note}",
    "m3cot-training": (
        "[Question]:{What is it?}\n[Options]:\n(A).{a cat}\n(B).{a $5 {note}}\nAnswer:\n"
    ),
    "m3cot-inference": (
        "[Question]:{What is it?}\n[Options]:\nA.{a cat}\nB.{a $5 {note}}\nAnswer:"
    ),
    "scienceqa-training": "[Question]:{What is it?}\n[Options]:\n(A).{a cat}\n(B).{a $5 {note}}",
    "scienceqa-inference": (
        "[Question]:{What is it?}\n[Options]:\n(A).{a cat}\n(B).{a $5 {note}}\nAnswer:"
    ),
}


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_each_format_words_the_question_as_its_name_says(name):
    assert prompt_format(name).question(ASKED) == WORDED[name]


def test_the_picture_stands_before_all_text_or_within_the_braces():
    inside = prompt_format("scienceqa-training").around_image(ASKED)
    assert inside == ("[Question]:{", WORDED["scienceqa-training"].removeprefix("[Question]:{"))
    for name in set(WORDED) - {"scienceqa-training"}:
        assert prompt_format(name).around_image(ASKED) == ("", WORDED[name])
    told = PromptFormat(question_form="Look: $image $question")
    assert told.around_image(ASKED)[0] == "In a shop.\nLook: "


def test_a_picture_within_the_text_is_tokenized_where_it_stands(chameleon, examples):
    form = PromptFormat(question_form="one $image $question")
    prompter = Prompter(chameleon.prompter.tokenizer, chameleon.backbone, form)
    ids = prompter.batch(examples[:1], LatentPlan(steps=0)).input_ids[0].tolist()
    tokens = prompter.tokenizer.convert_ids_to_tokens(ids)
    assert tokens[:3] == ["one", "<racm3:break>", "<image>"]
    question = tokens[tokens.index("<eoss>") + 1 :]
    assert question[:4] == ["Follow", "one", "hop", "."]


def test_answers_are_letters_for_m3cot_and_numbers_from_0_for_scienceqa():
    assert prompt_format("m3cot-training").answer_texts(ASKED.choices) == ["A", "B"]
    assert prompt_format("scienceqa-inference").answer_texts(ASKED.choices) == ["0", "1"]
    marker = {form.answer_marker for name, form in PROMPT_FORMATS.items() if name != "own"}
    assert marker == {"Therefore, the answer is"}
    with pytest.raises(UserError, match="answers by index need choices_in_prompt"):
        PromptFormat(answer_form="index", choices_in_prompt=False)


def test_formats_survive_json():
    for form in PROMPT_FORMATS.values():
        assert PromptFormat.from_dict(json.loads(json.dumps(dataclasses.asdict(form)))) == form


def test_an_unknown_name_is_met_with_a_suggestion():
    with pytest.raises(UserError, match="did you mean 'm3cot-training'"):
        prompt_format("m3cot-trainin")
