"""What a state is asked about: the walk's objects, the answer, and controls that are neither."""

from dataclasses import replace

from latentlab.data import load_data
from latentlab.lens.targets import control_of, drawn_option, first_tokens, targets_of


def test_a_traced_example_asks_for_every_hop_and_its_controls(qwen):
    for example in load_data("benchmark:hops=1+4", limit=20):
        found = targets_of(example, qwen.prompter, seed=0)
        hops = [f"hop {hop}" for hop in range(1, example.hops + 1)]
        assert list(found) == [*hops, "other object", "answer", "other option"]
        for hop in range(1, example.hops + 1):
            assert qwen.prompter.decode(found[f"hop {hop}"][:1]) == example.trace.at(hop)
        assert found[hops[-1]] == found["answer"]
        walk = {example.trace.at(hop) for hop in range(example.hops + 1)}
        other = qwen.prompter.decode(found["other object"])
        assert other in set(example.trace.objects) - walk
        wrong = qwen.prompter.decode(found["other option"])
        assert wrong in set(example.choices) - {example.answer}


def test_controls_are_drawn_for_each_example_and_seed(qwen):
    example = load_data("benchmark")[0]
    draws = [targets_of(example, qwen.prompter, seed) for seed in (0, 0, 1, 2, 3, 4, 5)]
    assert draws[0] == draws[1]
    assert len({tuple(draw["other object"]) for draw in draws}) > 1
    assert len({tuple(draw["other option"]) for draw in draws}) > 1


def test_without_a_trace_there_are_the_answer_and_another_option(chameleon, examples):
    found = targets_of(examples[1], chameleon.prompter, seed=0)
    letters = {name: chameleon.prompter.decode(ids[:1]) for name, ids in found.items()}
    assert letters == {"answer": "B", "other option": "A"}
    alone = replace(examples[1], choices=(examples[1].answer,))
    assert drawn_option(alone, 0) is None
    assert list(targets_of(alone, chameleon.prompter, seed=0)) == ["answer"]


def test_controls_belong_to_targets():
    assert [control_of(name) for name in ("hop 3", "answer", "own", "other object")] == [
        "other object",
        "other option",
        None,
        None,
    ]


def test_a_text_begins_with_one_token_for_each_spelling(qwen):
    class Spaced:
        format = qwen.prompter.format

        @staticmethod
        def encode(text: str) -> list[int]:
            return [ord(letter) for letter in text]

        @staticmethod
        def decode(ids: list[int]) -> str:
            return "".join(map(chr, ids)).strip()

    assert first_tokens(Spaced(), "red") == [ord("r")]
    assert first_tokens(Spaced(), " ") == [ord(" ")]
