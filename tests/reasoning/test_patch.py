"""A patch is `patched` as an intervention; what acts inside the model composes with what edits."""

import pytest
import torch

from latentlab.errors import UserError
from latentlab.reasoning.activations import Patch, Site, head_slice, patched, record
from latentlab.reasoning.interventions import Hooked, Intervention, Replace, applied
from latentlab.reasoning.knockout import Knockout, knocked_out
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Zero
from latentlab.reasoning.visibility import Kind

PLAN = LatentPlan(steps=2, k=2, select="random")
SITES = [
    Site(0, 0),
    Site(1, 1),
    Site(2, 0, "attn_out", -2),
    Site(1, 0, "resid_pre", 0),
    Site(2, 0, "mlp_out", -1),
    Site(3, 1, "z"),
    Site(1, 1, "z", -1, 1),
]


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture
def ask(reasoner, examples):
    """Logits of a text of one token after the latent steps, under what is opened around them."""

    def run(rollout, *interventions, asked=examples, times=1):
        with applied(rollout, interventions):
            state = rollout(reasoner.prompter.batch(asked, PLAN), interventions)
            ids = torch.tensor([[10]]).expand(len(asked) * times, -1)
            state = state.repeat(times)
            return rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))[:, -1]

    return run


def vectors(reasoner, site, examples):
    """What to put at a site, one vector for each example."""
    hidden = torch.zeros(reasoner.backbone.text_config.hidden_size)
    size = len(hidden[head_slice(site.head, hidden, reasoner.backbone.n_heads)])
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(examples), size, generator=generator)


@pytest.mark.parametrize("site", SITES, ids=str)
def test_a_patch_does_what_patched_does(reasoner, examples, ask, site):
    rollout = reasoner.rollout(PLAN)
    values = vectors(reasoner, site, examples)
    untouched = ask(rollout)
    with patched(rollout, {site: values}):
        expected = ask(rollout)
    by_name = {example.id: value for example, value in zip(examples, values, strict=True)}
    assert torch.equal(ask(rollout, Patch(site, by_name)), expected)
    assert not torch.equal(expected, untouched)
    with patched(rollout, {site: values[:1].expand(len(examples), -1)}):
        expected = ask(rollout)
    assert torch.equal(ask(rollout, Patch(site, values[0])), expected)
    assert torch.equal(ask(rollout), untouched)  # no hook stays behind


def test_examples_without_a_vector_keep_what_they_have(reasoner, examples, ask):
    rollout, site = reasoner.rollout(PLAN), Site(1, 0)
    values = vectors(reasoner, site, examples)
    some, untouched = ask(rollout, Patch(site, {"e1": values[1]})), ask(rollout)
    everyone = ask(rollout, Patch(site, dict(zip(("e0", "e1", "e2"), values, strict=True))))
    assert torch.equal(some[[0, 2]], untouched[[0, 2]])
    assert torch.equal(some[1], everyone[1])
    assert not torch.equal(some[1], untouched[1])
    assert torch.equal(ask(rollout, Patch(site, {})), untouched)


def test_vectors_find_their_examples_in_any_order_and_in_every_copy(reasoner, examples, ask):
    """A state in which examples stand several times in a row: so options are scored."""
    rollout, site = reasoner.rollout(PLAN), Site(3, 0)
    values = vectors(reasoner, site, examples)
    patch = Patch(site, {example.id: v for example, v in zip(examples, values, strict=True)})
    expected = ask(rollout, patch)
    turned = ask(rollout, patch, asked=examples[::-1])
    torch.testing.assert_close(turned.flip(0), expected, atol=1e-5, rtol=1e-5)
    twice = ask(rollout, patch, times=2)
    torch.testing.assert_close(twice[::2], expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(twice[::2], twice[1::2])


def test_a_pass_without_that_position_is_left_alone(reasoner, examples, ask):
    rollout = reasoner.rollout(PLAN)
    untouched = ask(rollout)
    for position in (-2, 1):  # the text has one position
        site = Site(3, 0, position=position)
        vector = vectors(reasoner, site, examples)[0]
        assert torch.equal(ask(rollout, Patch(site, vector)), untouched)
    assert torch.equal(ask(rollout, Patch(Site(9, 0), vector)), untouched)


def test_own_activations_are_bitwise_nothing(reasoner, examples, ask):
    rollout = reasoner.rollout(PLAN)
    with record(rollout, components=("resid_post", "attn_out", "z")) as kept:
        expected = ask(rollout)
    names = [example.id for example in examples]
    patches = [Patch(site, dict(zip(names, value, strict=True))) for site, value in kept.items()]
    assert torch.equal(ask(rollout, *patches), expected)


def test_several_interventions_act_together(reasoner, examples, ask):
    """Patches, knock-outs and edits of latents in one list, in whatever order."""
    rollout, site = reasoner.rollout(PLAN), Site(1, 0)
    patch = Patch(site, vectors(reasoner, site, examples)[0])
    cut, zero = Knockout("answer", "image"), Replace("latent_text", Zero(), steps=(2,))
    together = ask(rollout, patch, cut, zero)
    with knocked_out(rollout, cut), patched(rollout, {site: patch.vector.expand(3, -1)}):
        assert torch.equal(together, ask(rollout, zero))
    assert torch.equal(together, ask(rollout, zero, cut, patch))
    for some in ([patch, cut], [patch, zero], [cut, zero]):
        assert not torch.equal(together, ask(rollout, *some))


def test_only_what_is_opened_around_a_rollout_acts_inside_it(reasoner, examples):
    rollout, site = reasoner.rollout(PLAN), Site(1, 0)
    batch = reasoner.prompter.batch(examples, PLAN)
    patch = Patch(site, vectors(reasoner, site, examples)[0])
    expected = rollout(batch).hidden
    assert torch.equal(rollout(batch, [patch]).hidden, expected)
    with applied(rollout, [patch]):
        assert not torch.equal(rollout(batch).hidden, expected)
    # An edit of latents acts where it is given to the rollout.
    with applied(rollout, [Replace("latent", Zero())]):
        assert torch.equal(rollout(batch).hidden, expected)


def test_what_acts_inside_the_model_edits_no_latent():
    for one in (Patch(Site(1, 0), torch.zeros(4)), Knockout("answer", "latent")):
        assert isinstance(one, Hooked)
        assert not isinstance(one, Intervention)


def test_nothing_stays_behind_when_a_rollout_fails(reasoner, examples):
    rollout = reasoner.rollout(PLAN)
    modules = list(reasoner.backbone.model.modules())

    def hooks():
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)

    before = hooks()
    interventions = [Patch(Site(1, 0), torch.zeros(1)), Knockout("answer", "image")]
    with pytest.raises(RuntimeError), applied(rollout, interventions):
        assert hooks() > before and len(rollout.around) == 1
        raise RuntimeError
    assert hooks() == before and not rollout.around
    with pytest.raises(AttributeError), applied(rollout, [interventions[0], Broken()]):
        pytest.fail("must not run")
    assert hooks() == before


class Broken:
    """An intervention that cannot be opened."""

    def around(self, rollout):
        raise AttributeError


def test_attention_is_the_row_that_a_step_begins_from(reasoner, examples):
    rollout = reasoner.rollout(PLAN, capture_layers=(1,))
    batch = reasoner.prompter.batch(examples, PLAN)
    state = rollout(batch)
    every = reasoner.rollout(PLAN, capture_layers=(0, 1))(batch)
    width = batch.input_ids.shape[1]
    for step in (1, 2):
        row = state.attention(step, layer=1)
        assert torch.equal(row, state.rows[step - 1][0])
        assert torch.equal(row, every.attention(step, 1))
        assert not torch.equal(row, every.attention(step, 0))
        assert row.shape == (3, reasoner.backbone.n_heads, width + 3 * (step - 1))
        torch.testing.assert_close(row.sum(-1), torch.ones_like(row[..., 0]))


def test_what_is_done_to_a_step_shows_in_the_attention_of_the_next(reasoner, examples):
    rollout = reasoner.rollout(PLAN, capture_layers=(1,))
    prefix = rollout.prefill(reasoner.prompter.batch(examples, PLAN))
    plain = rollout.reason(prefix)
    changed = rollout.reason(prefix, [Replace("latent_text", Zero(), steps=(1,))])
    assert torch.equal(changed.attention(1, 1), plain.attention(1, 1))
    assert not torch.equal(changed.attention(2, 1), plain.attention(2, 1))


def test_attention_that_was_not_captured_is_told(reasoner, examples):
    batch = reasoner.prompter.batch(examples, PLAN)
    state = reasoner.rollout(PLAN, capture_layers=(1,))(batch)
    for step in (0, 3, -1):
        with pytest.raises(UserError, match=f"there is no step {step}: 2 were captured"):
            state.attention(step, 1)
    with pytest.raises(UserError, match="of layer 0 was not captured; captured: 1"):
        state.attention(1, 0)
    with pytest.raises(UserError, match="there is no step 1: 0 were captured"):
        reasoner.rollout(PLAN)(batch).attention(1, 0)
