"""The plain rollout: independent of the engine, and a transformer as Hugging Face has it."""

import ast
import dataclasses
from pathlib import Path

import pytest
import torch

from latentlab.commands import COMMANDS

FORBIDDEN = ("reasoning", "study", "measures", "reasoner", "adapters", *COMMANDS)
"""Parts of the package that the plain rollout must not take a line from."""

ASKING = {
    "latentlab.study.instrument.Subject",
    "latentlab.study.instrument.instrument",
    "latentlab.study.results.read_results",
}
"""What it takes to ask an instrument and to read what it wrote; nothing is computed there."""

MODELS = {
    "ivtlr": "benchmark",
    "relay": "benchmark",
    "gaze": "benchmark",
    "bypass": "benchmark:hops=1",
    "filler": "benchmark:hops=1",
}


def imported(path: Path) -> set[str]:
    """Every module that a file imports from, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports would hide where something is from"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_plain_rollout_shares_loading_and_data_with_the_package_and_nothing_else():
    names = imported(Path(__file__).with_name("rollout.py"))
    ours = {name for name in names if name.split(".")[0] not in ("copy", "collections", "torch")}
    assert ours == {
        "dataclasses.dataclass",
        "dataclasses.field",
        "latentlab.checkpoint.load",
        "latentlab.data.Example",
    }


def test_no_file_of_this_folder_computes_with_the_engine():
    for path in Path(__file__).parent.glob("*.py"):
        for name in imported(path) - ASKING:
            parts = name.split(".")
            assert parts[0] != "latentlab" or parts[1] not in FORBIDDEN, (path.name, name)


def test_a_pass_is_that_of_hugging_face_with_eager_attention(plain, untouched):
    model, run = plain("gaze"), untouched("gaze")[0]
    model.model.set_attn_implementation({"text_config": "eager"})
    mask = torch.zeros(1, 1, len(run.kinds), len(run.kinds), dtype=torch.float64)
    mask.masked_fill_(~model.visible(run), torch.finfo(torch.float64).min)
    with torch.no_grad():
        theirs = model.decoder(
            inputs_embeds=torch.stack(run.embeds)[None],
            position_ids=torch.tensor(run.positions)[None],
            attention_mask=mask,
            output_attentions=True,
            output_hidden_states=True,
            use_cache=False,
        )
    ours = model.forward(run)
    # Hugging Face computes cosines and the norm's scale in float32 whatever the weights are in.
    torch.testing.assert_close(ours.final, theirs.last_hidden_state[0], atol=1e-5, rtol=1e-5)
    weights = torch.cat(theirs.attentions).to(ours.final)
    torch.testing.assert_close(torch.stack(ours.weights), weights, atol=1e-5, rtol=1e-4)


def test_the_mask_is_causal_and_keeps_the_blocked_pairs_apart(plain, untouched):
    run, sees = untouched("gaze")[0], plain("gaze").visible(untouched("gaze")[0])
    assert not sees.triu(1).any()
    latents, image = run.where("latent"), run.where("image")
    assert latents.sum() == 9 and not sees[latents][:, image].any()
    assert not sees[run.where("prompt")][:, image].any()
    assert sees[latents][:, run.where("prompt")].all()


@pytest.mark.parametrize(("name", "data"), MODELS.items())
def test_answers_and_likelihoods_are_those_of_evaluate(
    name, data, plain, asked, untouched, rows_of, nats
):
    rows, model = rows_of("evaluate", name, data=data), plain(name)
    for row, example, run in zip(
        rows.itertuples(), asked(data), untouched(name, data), strict=True
    ):
        assert row.example == example.id
        said = model.write(run, longest=64, at_once=False)
        assert row.text == model.text(said)
        marker = model.prompter.marker_ids
        assert said[: len(marker)] == marker, "no rationale stands before these answers"
        assert row.correct == (model.text(said[len(marker) :]) == example.answer)
        assert row.new_tokens == len(said)
        own = model.option_logprobs(run, example.choices)
        assert row.option_logprobs == pytest.approx(own, abs=nats)
        likeliest = example.choices[own.index(max(own))]
        assert row.correct_likelihood == (likeliest == example.answer)


def test_without_the_picture_positions_stay_and_nothing_is_re_inserted(plain, asked, rows_of, nats):
    rows, model = rows_of("evaluate", "ivtlr", "--no-image"), plain("ivtlr")
    rows = rows[rows["intervention"] == "no image"]
    for row, example in zip(rows.itertuples(), asked(), strict=True):
        run = model.rollout(dataclasses.replace(example, image=None))
        assert run.kinds.count("latent_text") == model.plan.steps
        assert "image" not in run.kinds and "latent_vision" not in run.kinds
        assert run.next_position == len(run.kinds) + model.plan.steps * model.plan.k
        said = model.write(run, longest=64, at_once=False)
        assert row.text == model.text(said)
        (marker,) = model.prompter.marker_ids
        # A model that is lost may write the marker again; its last one is the answer's.
        last = max(i for i, token in enumerate(said) if token == marker)
        own = model.option_logprobs(run, example.choices, said[:last])
        assert row.option_logprobs == pytest.approx(own, abs=nats)
