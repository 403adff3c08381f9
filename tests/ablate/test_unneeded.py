"""What a prompt does not need is known from traces and wording, and from nothing else."""

from dataclasses import replace

import pytest

from latentlab.ablate.unneeded import Unneeded, unneeded
from latentlab.data import load_data
from latentlab.data.benchmark import NUMBERS


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark:hops=1+4", limit=6))


def test_of_the_benchmark_all_is_spared_that_the_question_needs(qwen, data):
    found = unneeded(qwen, data)
    prompter, token = qwen.prompter, qwen.backbone.image_token_id
    for example in data:
        ids = prompter.batch([example], qwen.plan).input_ids[0].tolist()
        walk = set(example.trace.cells[: example.hops + 1])
        assert set(found.patches[example.id]) == set(range(16)) - walk
        image = found.image[example.id]
        first = ids.index(token)
        assert [position - first for position in image] == list(found.patches[example.id])
        assert all(ids[position] == token for position in image)
        words = [prompter.decode([ids[position]]) for position in found.words[example.id]]
        plural = "hop" if example.hops == 1 else "hops"
        assert words == ["Follow", plural, "from", "the"]
        assert NUMBERS[example.hops - 1] not in words


def test_words_are_told_by_letters_in_another_family_too(chameleon, examples):
    data = load_data("benchmark:hops=4", limit=3)
    found = unneeded(chameleon, data)  # 16 image tokens, one for each cell
    for example in data:
        (picture,) = chameleon.backbone.prepare_images([example.image]).texts
        text = chameleon.prompter.prompt_text(example, picture)
        ids = chameleon.prompter.encode(text)
        start = text.index(example.question)
        offsets = chameleon.prompter.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True
        )["offset_mapping"]
        said = [text[slice(*offsets[i])] for i in found.words[example.id]]
        assert said == ["Follow", "hops", "from", "the", "."]
        assert all(
            start <= offsets[i][0] < start + len(example.question) for i in found.words[example.id]
        )
        assert len(ids) == len(offsets)
    assert unneeded(chameleon, examples) == Unneeded()


def test_without_traces_nothing_is_known_and_with_other_words_no_words_are(qwen, data):
    assert unneeded(qwen, [data[0], replace(data[1], trace=None)]) == Unneeded()
    reworded = replace(data[1], question="Where does the trail end?")
    found = unneeded(qwen, [data[0], reworded])
    assert found.words == {}
    assert set(found.image) == {data[0].id, data[1].id}
    wide = replace(data[0], image=data[0].image.resize((56, 56)))
    assert unneeded(qwen, [wide]) == Unneeded()  # four patches for sixteen cells
