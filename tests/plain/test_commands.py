"""Every command takes a plain vision-language model as what it is, or under a plan from outside."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers.processors import TemplateProcessing

from latentlab.checkpoint import load
from latentlab.commands import start
from latentlab.data import load_data
from latentlab.reasoning.greedy import generate
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.results import read_results

FEW = ("--limit", "4", "--batch-size", "2")
SHORT = ("--max-new-tokens", "2")
PLAN = "steps=2,k=2,select=random"
LACKS = "takes no latent steps"

GO_ON = {
    "evaluate": ("--no-image", "--max-new-tokens", "4"),
    "attention": ("--explicit",),
    "lens": (),
    "patch": ("--knockout", "answer-image", "--pair", "unrelated"),
}
"""What makes sense without latent steps, and flags that keep it short."""

NEED_LATENTS = {
    "ablate": ("--drop", "latent_vision", *SHORT),
    "mediation": ("--reference", "4", "--perturb", "blank"),
    "interchange": ("--steps", "all", *SHORT),
    "probe": ("--limit", "30", "--shuffles", "1"),
}


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Makes a function that runs a command in an empty folder: exit code, streams and results."""
    monkeypatch.chdir(tmp_path)

    def call(name, *given):
        flags = list(given)
        if flags.count("--limit") > 1:  # what a command needs in place of the few of all
            del flags[(first := flags.index("--limit")) : first + 2]
        code = start(name, flags)
        results = read_results(Path("results") / name) if code == 0 else None
        return code, capsys.readouterr(), results

    return call


def test_a_plain_folder_is_a_model_without_latent_steps(plain):
    reasoner = load(str(plain))
    assert reasoner.plan.steps == 0
    assert not reasoner.brings_plan
    assert reasoner.prompter.format.answer_form == "letter"
    asked = load(str(plain), plan=LatentPlan(steps=1, k=1))
    assert (asked.plan.steps, asked.brings_plan) == (1, False)


def test_what_lies_beside_the_weights_is_read(plain):
    reasoner = load(str(plain))
    template = reasoner.prompter.tokenizer.chat_template
    if plain.name.startswith("qwen"):
        assert "<|im_start|>" in template
        assert reasoner.prompter.eos_ids == {1, 3}
        assert reasoner.prompter.eos_id == 1
        picture = 2 * reasoner.backbone.image_token
        text = reasoner.prompter.prompt_text(load_data("benchmark", limit=1)[0], picture)
        assert text.count("<|image_pad|>") == 2
        assert text.endswith("<|im_start|>assistant ")
    else:
        assert not template
        assert reasoner.prompter.eos_ids == {1}


def test_without_a_template_prompts_begin_as_the_tokenizer_begins_a_text(plain_chameleon):
    prompter = load(str(plain_chameleon)).prompter
    example = load_data("benchmark", limit=1)[0]
    plain = prompter.batch([example], LatentPlan(steps=0)).input_ids[0].tolist()
    bos = prompter.tokenizer.convert_tokens_to_ids("<eoss>")
    prompter.tokenizer.bos_token = "<eoss>"
    assert prompter.batch([example], LatentPlan(steps=0)).input_ids[0].tolist() == plain
    prompter.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<eoss> $A", special_tokens=[("<eoss>", bos)]
    )
    assert prompter.batch([example], LatentPlan(steps=0)).input_ids[0].tolist() == [bos, *plain]


def test_every_token_that_ends_an_answer_ends_it(plain, monkeypatch):
    reasoner = load(str(plain))
    ends, size = sorted(reasoner.prompter.eos_ids), reasoner.backbone.text_config.vocab_size
    examples = load_data("benchmark", limit=2)
    said = iter([[9, 9], [ends[0], 9], [9, ends[-1]], [9, 9]])

    def logits(hidden):
        found = torch.zeros(*hidden.shape[:-1], size)
        tokens = torch.tensor(next(said)).view(-1, *[1] * (found.ndim - 1))
        return found.scatter(-1, tokens.expand(*found.shape[:-1], 1), 1.0)

    monkeypatch.setattr(reasoner.backbone, "logits", logits)
    rollout = reasoner.rollout()
    outputs = generate(rollout, rollout(reasoner.batch(examples)), ends, None, 4)
    assert outputs == [[9, ends[0]], [9, 9, ends[-1]]]


@pytest.mark.parametrize("name", GO_ON)
def test_what_needs_no_latents_goes_on(name, plain, call):
    code, streams, results = call(name, "--model", str(plain), *FEW, *GO_ON[name])
    assert code == 0, streams.err
    assert "brings no latent plan and takes no latent steps; --plan gives it one" in streams.err
    assert len(results.rows)
    assert results.run["plans"][plain.name]["steps"] == 0
    if name == "evaluate":
        assert set(results.rows["latent_steps"]) == {0}


@pytest.mark.parametrize("name", NEED_LATENTS)
def test_what_needs_latents_says_so_in_one_line(name, plain, call):
    code, streams, _ = call(name, "--model", str(plain), *FEW, *NEED_LATENTS[name])
    assert code == 2
    assert streams.out == ""
    assert LACKS in streams.err.splitlines()[-1]
    assert "Traceback" not in streams.err
    assert not Path("results", name).exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", [*GO_ON, *NEED_LATENTS])
def test_under_a_plan_it_is_an_untrained_latent_reasoner(name, plain, call):
    """One family in full precision and the other in half of it."""
    dtype = "bfloat16" if plain.name.startswith("qwen") else "float32"
    flags = ("--plan", PLAN, "--dtype", dtype, *FEW, *(GO_ON | NEED_LATENTS)[name])
    code, streams, results = call(name, "--model", str(plain), *flags)
    assert code == 0, streams.err
    assert results.run["config"]["dtype"] == dtype
    assert "what takes these latent steps is an untrained model" in streams.err
    assert results.run["config"]["plan"] == PLAN
    recorded = results.run["plans"][plain.name]
    assert LatentPlan.from_dict(recorded) == LatentPlan(steps=2, k=2, select="random")


def test_patches_picked_by_attention_go_through_float16(plain_qwen, call):
    flags = ("--plan", "steps=2,k=2", "--dtype", "float16", *FEW, *GO_ON["evaluate"])
    code, streams, results = call("evaluate", "--model", str(plain_qwen), *flags)
    assert code == 0, streams.err
    assert results.run["config"]["dtype"] == "float16"


@torch.no_grad()
def test_rows_that_pick_patches_are_float32_whatever_the_weights_are(plain):
    plan = LatentPlan(steps=2, k=2)
    reasoner = load(str(plain), plan=plan, dtype="bfloat16")
    examples = list(load_data("benchmark", limit=3))
    state = reasoner.rollout()(reasoner.batch(examples))
    assert reasoner.backbone.model.dtype == state.hidden.dtype == torch.bfloat16
    for row in state.rows:
        assert row.dtype == torch.float32
        torch.testing.assert_close(row.sum(-1), torch.ones_like(row[..., 0]))


def test_calibration_reads_a_plain_model_under_a_plan_only(plain_qwen, call):
    code, streams, _ = call("calibrate", "--model", str(plain_qwen))
    assert code == 2
    assert LACKS in streams.err.splitlines()[-1]
    code, streams, _ = call("calibrate", "--model", "relay", "--plan", "steps=2")
    assert code == 2
    assert "the organisms keep their plans" in streams.err.splitlines()[-1]


def test_steps_and_k_are_the_plan_of_a_model_that_brings_none(plain, call):
    flags = ("--steps", "2", "--k", "3", *FEW, *GO_ON["evaluate"])
    code, streams, results = call("evaluate", "--model", str(plain), *flags)
    assert code == 0, streams.err
    assert set(results.rows["latent_steps"]) == {2}
    assert results.run["plans"][plain.name]["k"] == 3


def test_one_number_on_the_ablation_is_its_plan_and_a_range_is_a_sweep(plain, call):
    asked = ("--model", str(plain), *FEW, *SHORT)
    code, streams, results = call("ablate", *asked, "--steps", "2", "--k", "3")
    assert code == 0, streams.err
    untouched = results.rows[results.rows["action"] == "none"]
    assert set(untouched["latent_steps"]) == {2}
    assert "drop" in set(results.rows["action"])
    assert not {"steps", "k"} & set(results.rows["action"])
    code, streams, _ = call("ablate", *asked, "--steps", "0", "--out", "none")
    assert code == 2
    assert LACKS in streams.err.splitlines()[-1]
    flags = ("--plan", "steps=2,k=3", "--steps", "0..2", "--out", "sweep")
    assert start("ablate", [*asked, *flags]) == 0
    rows = read_results(Path("sweep")).rows
    assert set(rows.loc[rows["action"] == "steps", "strength"]) == {0, 1}


def test_a_plan_replaces_the_one_that_a_model_brings(call, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"steps": 1, "k": 1}))
    flags = ("--model", "ivtlr", "--plan", str(path), *FEW, "--max-new-tokens", "2")
    code, streams, results = call("evaluate", *flags)
    assert code == 0, streams.err
    assert "ivtlr: the plan of the flags replaces the one that it brings" in streams.err
    assert set(results.rows["latent_steps"]) == {1}
    assert results.run["plans"]["ivtlr"] == LatentPlan(steps=1, k=1).to_dict() | {"blocked": []}


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--plan", "nowhere.json"), "nowhere.json cannot be read"),
        (("--plan", "broken.json"), "broken.json is not valid JSON"),
        (("--plan", "list.json"), "it holds [1]; give values by name"),
        (("--plan", "stepz=3"), "unknown field 'stepz'; did you mean 'steps'"),
        (("--plan", "steps=3,steps=4"), "steps is named twice"),
        (("--plan", "steps=3,k"), "'k' is not understood; write steps=3,k=32"),
        (("--plan", "steps=three"), "steps is 'three'; give a whole number"),
        (("--plan", "reuse=yes"), "reuse is 'yes'; give true or false"),
        (("--plan", "select_layers=7"), "there is no layer 7; the model has"),
        (("--plan", "content=placeholder"), "fills its slots with a placeholder token"),
        (("--plan", "start_token=zebra,end_token=<end>"), "'zebra' is not one token"),
        (("--plan", "steps=2", "--steps", "2"), "--steps and --plan both name a plan"),
        (("--steps", "-1"), "--steps -1 is too small"),
    ],
)
def test_refuses_plans_that_cannot_be_meant_in_one_line(flags, complaint, plain_qwen, call):
    Path("broken.json").write_text("{")
    Path("list.json").write_text("[1]")
    code, streams, _ = call("evaluate", "--model", str(plain_qwen), *flags, *FEW)
    assert code == 2
    assert streams.out == ""
    assert complaint in streams.err.splitlines()[-1]
    assert not list(Path("results").glob("*"))


def test_refuses_steps_and_k_where_every_model_brings_a_plan(call):
    code, streams, _ = call("evaluate", "--steps", "2", *FEW)
    assert code == 2
    assert "--plan replaces a plan" in streams.err


@pytest.mark.slow
@pytest.mark.parametrize("more", ["lead=4", "lead=0"])
def test_blocks_go_through_the_commands(more, plain_qwen, call):
    plan = f"steps=3,k=0,start_token=<start>,end_token=<end>,length=free,{more}"
    flags = ("--model", str(plain_qwen), "--plan", plan, *FEW)
    for name in ("evaluate", "ablate", "interchange"):
        code, streams, results = call(name, *flags, *SHORT)
        assert code == 0, streams.err
        assert results.rows["latent_steps"].between(0, 3).all()
    code, streams, _ = call("attention", *flags, "--explicit")
    assert code == (2 if more == "lead=4" else 0), streams.err
    for name in ("mediation", "probe", "lens", "trace"):
        code, streams, _ = call(name, *flags, *NEED_LATENTS.get(name, ()))
        assert code == 2
        assert "give it lead=0 and length=fixed by --plan" in streams.err.splitlines()[-1]
