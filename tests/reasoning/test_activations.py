"""Recorded is what a layer computes; patching puts it back exactly, by part and by head."""

import pytest
import torch

from latentlab.reasoning.activations import Site, head_slice, patched, record
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind

PLAN = LatentPlan(steps=2, k=2, select="random")
EVERY = ("resid_pre", "attn_out", "mlp_out", "resid_post", "z")


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture
def ask(reasoner, examples):
    def run(rollout, asked=examples):
        state = rollout(reasoner.prompter.batch(asked, LatentPlan(steps=0)))
        ids = torch.tensor([[10]]).expand(len(asked), -1)
        return rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))[:, -1]

    return run


def test_components_add_up_to_the_residual_stream(reasoner, ask):
    rollout = reasoner.rollout(PLAN)
    with record(rollout, components=EVERY) as kept:
        ask(rollout)
    for pass_index in range(4):
        part = {name: kept[Site(pass_index, 0, name)] for name in EVERY}
        whole = part["resid_pre"] + part["attn_out"] + part["mlp_out"]
        torch.testing.assert_close(whole, part["resid_post"])
        assert torch.equal(part["resid_post"], kept[Site(pass_index, 1, "resid_pre")])
        o_proj = reasoner.backbone.component(0, "z")
        torch.testing.assert_close(o_proj(part["z"]), part["attn_out"])


def test_own_activations_are_bitwise_nothing(reasoner, ask):
    rollout = reasoner.rollout(PLAN)
    with record(rollout, components=EVERY, positions=(-1, -2, -3)) as kept:
        expected = ask(rollout)
    with patched(rollout, kept):
        assert torch.equal(ask(rollout), expected)
    assert torch.equal(ask(rollout), expected)  # no hook stays behind


@pytest.mark.parametrize("pass_index", [0, 1, 3])
def test_all_heads_are_attention_and_one_head_is_not(reasoner, ask, pass_index):
    rollout, n_heads = reasoner.rollout(PLAN), reasoner.backbone.n_heads
    with record(rollout, components=("z", "attn_out")) as kept:
        expected = ask(rollout)
    z = -kept[Site(pass_index, 1, "z")]

    def run(values):
        with patched(rollout, values):
            return ask(rollout)

    heads = {
        Site(pass_index, 1, "z", head=h): z[:, head_slice(h, z, n_heads)] for h in range(n_heads)
    }
    whole = run({Site(pass_index, 1, "z"): z})
    assert torch.equal(run(heads), whole)
    out = reasoner.backbone.component(1, "z")(z)
    torch.testing.assert_close(run({Site(pass_index, 1, "attn_out"): out}), whole)
    first = run(dict(list(heads.items())[:1]))
    assert not torch.equal(first, whole)
    assert not torch.equal(first, expected)


def test_recorded_is_the_hidden_state_of_the_written_out_sequence(reasoner, examples, naive):
    """At each pass_index that of the newest position: the prompt's last, a step's, the text's."""
    rollout = reasoner.rollout(PLAN)
    for example in examples:
        with record(rollout) as kept:
            state = rollout(reasoner.prompter.batch([example], PLAN))
            ids = torch.tensor([[10, 11]])
            rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))
        no_picks = torch.zeros(2, 2)
        sequence, _ = naive(example, PLAN, [10, 11], ["answer"] * 2, no_picks)
        positions = torch.stack(sequence.positions, dim=-1)[..., None, :]
        layers = naive.decoder(
            inputs_embeds=torch.stack(sequence.embeds)[None],
            position_ids=positions if len(positions) == 3 else positions[0],
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
        prompt = len(sequence.kinds) - 2 - 2 * 3
        for pass_index, place in enumerate((prompt - 1, prompt + 2, prompt + 5, prompt + 7)):
            ours = kept[Site(pass_index, 0)][0]
            torch.testing.assert_close(ours, layers[1][0, place], atol=2e-4, rtol=1e-4)
            last = kept[Site(pass_index, 1)][None, 0]
            final = naive.decoder.norm(last)[0]
            torch.testing.assert_close(final, sequence.hidden[place], atol=2e-4, rtol=1e-4)
        assert {site.pass_index for site in kept} == {0, 1, 2, 3}


def test_a_patch_reaches_later_steps_and_no_earlier_ones(reasoner, examples):
    plan = PLAN.replace(steps=3)
    rollout = reasoner.rollout(plan)
    batch = reasoner.prompter.batch(examples, plan)
    with record(rollout, layers=[0]) as kept:
        plain = rollout(batch)
    site = Site(2, 0)
    donors = kept[site].roll(1, 0)
    with patched(rollout, {site: donors}), record(rollout, layers=[0]) as seen:
        swapped = rollout(batch)
    for step in range(2):  # the text of step t is what the pass of step t - 1 ends with
        assert torch.equal(swapped.latents[step].text, plain.latents[step].text)
        assert torch.equal(seen[Site(step, 0)], kept[Site(step, 0)])
    assert torch.equal(seen[site], donors)
    changed = (swapped.latents[2].text - plain.latents[2].text).abs().amax(-1)
    assert (changed > 1e-3).all()


def test_no_hook_outlives_its_context(reasoner, examples):
    rollout = reasoner.rollout(PLAN)
    modules = list(reasoner.backbone.model.modules())

    def hooks():
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)

    before = hooks()
    values = {Site(1, 0): torch.zeros(1)}
    with pytest.raises(RuntimeError), record(rollout, components=EVERY), patched(rollout, values):
        assert hooks() > before
        raise RuntimeError
    assert hooks() == before
