"""A converted published checkpoint computes what the published implementation computed on it."""

import pytest
import torch
from safetensors.torch import load_file

from latentlab import checkpoint
from latentlab.backbones import Batch
from latentlab.reasoning.greedy import generate
from latentlab.reasoning.visibility import Kind
from tests.convert.conftest import META, REFERENCE

OUTPUTS = load_file(REFERENCE / "official_checkpoint_outputs.safetensors")
CASES = [(merge, steps) for merge in ("merge", "no-merge") for steps in (1, 3)]


@torch.no_grad()
@pytest.mark.parametrize(("merge", "steps"), CASES)
def test_logits_loss_picks_and_greedy_tokens(converted, merge, steps):
    out = {k[3:]: v for k, v in OUTPUTS.items() if k.startswith(f"T{steps}.")}
    reasoner = checkpoint.load(str(converted(merge)), "cpu")
    assert reasoner.placeholder_id == META["latent_id"]
    ids, labels = out["input_ids"], out["labels"]
    end = int((ids[0] == reasoner.placeholder_id).nonzero()[0])
    pixels = {"pixel_values": out["pixel_values"], "image_grid_thw": out["image_grid_thw"]}
    prompt = ids[:, :end]
    rollout = reasoner.rollout(reasoner.plan.replace(steps=steps))
    state = rollout(Batch(("case",), prompt, torch.ones_like(prompt).bool(), pixels))
    assert torch.equal(state.picks[0].sort(-1).values, out["selected_patches"])
    text = ids[:, end + steps :]
    new = generate(rollout, state, -1, None, out["generated_ids"].shape[1] - end - steps)
    assert ids[0, : end + steps].tolist() + new[0] == out["generated_ids"][0].tolist()
    logits = rollout.extend(state, text, torch.full_like(text, int(Kind.ANSWER)))
    expected = out["final_logits"][:, -text.shape[1] - 1 :]
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)
    loss = torch.nn.functional.cross_entropy(
        logits[0, :-1], labels[0, end + steps :], ignore_index=-100
    )
    torch.testing.assert_close(loss, out["loss"][0], atol=1e-4, rtol=0)
    assert reasoner.plan.steps == 3 and reasoner.plan.k == META["k"]
