"""A knock-out by hooks is the plan's own; windows and controls hide what they say."""

import copy

import pytest
import torch

from latentlab.errors import UserError
from latentlab.reasoning.interventions import applied
from latentlab.reasoning.knockout import Knockout
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.visibility import Kind

pytestmark = pytest.mark.usefixtures("no_grad")

PLAN = LatentPlan(steps=3, k=2, select="random")
PAIRS = [
    ("answer", "latent"),
    ("answer", "image"),
    ("latent", "image"),
    ("latent", "prompt"),
    ("latent", "latent"),
    ("prompt", "image"),
]


@pytest.fixture
def ask(reasoner, examples):
    """Logits of a text after the latent steps, and the kinds of all positions."""

    def run(rollout, *cuts, examples=examples, text=(10, 11, 9)):
        batch = reasoner.prompter.batch(examples, LatentPlan(steps=0))
        with applied(rollout, cuts):
            state = rollout(batch)
            ids = torch.tensor([text]).expand(len(examples), -1)
            return rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))[:, 1:]

    return run


@pytest.mark.parametrize(("query", "key"), PAIRS)
def test_hooks_in_all_layers_are_the_blocked_pair_of_a_plan(reasoner, ask, query, key):
    blocked = reasoner.rollout(PLAN.replace(blocked=((query, key),)))
    rollout = reasoner.rollout(PLAN)
    hooked = ask(rollout, Knockout(query, key))
    assert torch.equal(hooked, ask(blocked))
    assert not torch.equal(hooked, ask(rollout))  # and no hook stays behind


@pytest.mark.parametrize(("query", "key"), PAIRS)
def test_eager_attention_agrees(reasoner, ask, examples, query, key):
    # Its masks are sums, the engine's are not: passes where nothing is hidden have to have none.
    plan, one = PLAN.replace(k=0), {"examples": examples[:1], "text": (10,)}
    expected = ask(reasoner.rollout(plan.replace(blocked=((query, key),))), **one)
    eager = copy.deepcopy(reasoner.backbone)
    eager._set_attention("eager")
    assert not torch.equal(expected, ask(reasoner.rollout(plan), **one))
    hooked = ask(Rollout(eager, plan), Knockout(query, key), **one)
    torch.testing.assert_close(hooked, expected, atol=1e-5, rtol=1e-5)


def test_layers_outside_of_the_window_see_everything(reasoner, ask):
    rollout = reasoner.rollout(PLAN)
    seen = [
        ask(rollout, Knockout("answer", "latent", layers=layers))
        for layers in ((), (0,), (1,), (0, 1), None)
    ]
    assert torch.equal(seen[0], ask(reasoner.rollout(PLAN)))
    assert torch.equal(seen[3], seen[4])
    for i, j in ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)):
        assert not torch.equal(seen[i], seen[j])


def test_later_steps_lose_earlier_ones_and_keep_their_own_patches(reasoner, ask):
    earlier = Knockout("latent", "latent", earlier=True)
    whole = Knockout("latent", "latent")
    rollout = reasoner.rollout(PLAN)
    assert not torch.equal(ask(rollout, earlier), ask(rollout))
    assert not torch.equal(ask(rollout, earlier), ask(rollout, whole))
    # With one slot a step there is nothing of its own to keep.
    text = reasoner.rollout(PLAN.replace(k=0))
    assert torch.equal(ask(text, earlier), ask(text, whole))


def test_knockouts_add_up_and_captured_rows_are_of_what_is_still_seen(reasoner, examples, ask):
    image, latents = Knockout("latent", "image"), Knockout("answer", "latent")
    rollout = reasoner.rollout(PLAN)
    both = ask(rollout, image, latents)
    pairs = (("latent", "image"), ("answer", "latent"))
    assert torch.equal(both, ask(reasoner.rollout(PLAN.replace(blocked=pairs))))
    rollout = reasoner.rollout(PLAN, capture_layers=(0, 1))
    prefix = rollout.prefill(reasoner.prompter.batch(examples, PLAN))
    with applied(rollout, [image]):
        state = rollout.reason(prefix)
    row, kinds = state.attention(step=2, layer=1), state.kinds[:, : state.rows[1].shape[-1]]
    seen = (kinds == Kind.IMAGE)[:, None].expand_as(row)
    assert (row[seen] == 0).all()
    assert (state.attention(step=1, layer=1)[..., : kinds.shape[1]].sum(-1) > 0.99).all()
    torch.testing.assert_close(row.sum(-1), torch.ones_like(row[..., 0]))


def test_what_is_hidden_from_whom():
    p, v, t, a = Kind.IMAGE, Kind.LATENT_VISION, Kind.LATENT_TEXT, Kind.ANSWER
    kinds = torch.tensor([[Kind.PAD, p, p, Kind.PROMPT, v, t, v, t]])
    visible = torch.ones(1, 2, 8, dtype=torch.bool).tril(6)
    visible[..., 0] = False
    none = torch.full((1, 8), -torch.inf)
    hidden = Knockout("latent_text", "latent").hidden(visible, kinds, none)
    assert hidden.int().tolist() == [[[0] * 8, [0, 0, 0, 0, 1, 1, 1, 0]]]
    hidden = Knockout("latent_text", "latent", earlier=True).hidden(visible, kinds, none)
    assert hidden.int().tolist() == [[[0] * 8, [0, 0, 0, 0, 1, 1, 0, 0]]]
    order = none.clone()
    order[0, 1:4] = torch.tensor([0.2, 0.9, 0.5])
    control = Knockout("latent_text", "latent", earlier=True, random=True)
    hidden = control.hidden(visible, kinds, order)
    assert hidden.int().tolist() == [[[0] * 8, [0, 0, 1, 1, 0, 0, 0, 0]]]
    # Where the prompt has fewer keys that are seen, all of them go, and nothing else.
    order[0, 1:3] = -torch.inf
    visible[..., 2] = False
    assert control.hidden(visible, kinds, order).sum() == 1
    assert not Knockout("answer", "image").hidden(visible, kinds, none).any()
    kinds[0, -1] = a
    assert Knockout("answer", "answer").hidden(visible, kinds, none).sum() == 0


def test_random_keys_belong_to_the_example_and_the_seed(reasoner, ask, examples):
    knockout = Knockout("answer", "latent_text", random=True)

    def run(seed, asked):
        return ask(reasoner.rollout(PLAN.replace(k=0), seed), knockout, examples=asked)

    together, alone = run(0, examples), run(0, examples[1:2])
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-5)
    assert not torch.equal(together, run(1, examples))


def test_refuses_positions_that_do_not_exist():
    with pytest.raises(UserError, match="no positions are called 'latents'"):
        Knockout("answer", "latents")
