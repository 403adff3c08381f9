"""Nothing done changes nothing, a part that is gone moves nothing, organisms are what they are."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from latentlab.backbones import Backbone
from latentlab.errors import UserError
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.interventions import Drop, PromptReplace, Replace, permute
from latentlab.reasoning.noise import Noise
from latentlab.reasoning.orders import Reordered
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import (
    Bank,
    Constant,
    Context,
    Given,
    Mean,
    Placeholder,
    Resample,
    Zero,
)
from latentlab.reasoning.visibility import Kind

pytestmark = pytest.mark.usefixtures("no_grad")

PLAN = LatentPlan(steps=3, k=2)
RELAY = LatentPlan(steps=3, k=0, blocked=(("answer", "image"), ("answer", "prompt")))
GAZE = LatentPlan(
    steps=3,
    k=2,
    select="given",
    blocked=(("prompt", "image"), ("latent", "image"), ("answer", "image")),
)
BYPASS = LatentPlan(steps=3, k=2, blocked=(("answer", "latent"),))


@pytest.fixture
def ask(reasoner, examples):
    """Runs a plan and returns the answer's logits (not those read off a latent) and the state."""

    def run(plan, interventions=(), examples=examples, own=None):
        rollout = reasoner.rollout(plan)
        batch = reasoner.prompter.batch(examples, LatentPlan(steps=0))
        given = torch.tensor([[0, 4], [5, 1], [3, 2]])
        batch = replace(batch, given_picks=given.expand(len(examples), -1, -1))
        state = rollout.reason(rollout.prefill(batch), interventions, own)
        ids = torch.tensor([[10, 11, 9]]).expand(len(examples), -1)
        return rollout.extend(state.fork(), ids, torch.full_like(ids, Kind.ANSWER))[:, 1:], state

    return run


@pytest.fixture
def bank_of(ask, examples):
    def record(plan):
        return Bank.of([example.id for example in examples], [ask(plan)[1].latents])

    return record


@pytest.mark.parametrize("positions", ["flat", "mrope"])
@pytest.mark.parametrize("part_order", ["vision_text", "text_vision"])
@pytest.mark.parametrize(
    ("part", "without"),
    [("latent_vision", {"k": 0}), ("latent_text", {"text": False}), ("latent", {"steps": 0})],
)
def test_a_part_left_out_and_closed_up_is_a_plan_without_it(
    ask, part, without, part_order, positions
):
    """Held positions leave a hole that no plan has; closed ones are those of another plan."""
    plan = PLAN.replace(part_order=part_order, positions=positions, stride=None)
    expected, _ = ask(plan.replace(**without))
    closed, state = ask(plan, [Drop(part, closed=True)])
    held, with_hole = ask(plan, [Drop(part)])
    assert torch.equal(closed, expected)
    assert not torch.equal(held, expected)
    missing = {"latent_vision": 2, "latent_text": 1, "latent": 3}[part] * plan.steps
    assert torch.equal(state.next_position + missing, with_hole.next_position)


def test_only_the_step_that_lacks_something_closes_up(ask):
    _, untouched = ask(PLAN)
    _, closed = ask(PLAN, [Drop("latent_vision", (2,), closed=True)])
    assert torch.equal(closed.next_position + 2, untouched.next_position)


@pytest.mark.parametrize("part", ["latent_text", "latent_vision", "latent"])
@pytest.mark.parametrize("part_order", ["vision_text", "text_vision"])
def test_nothing_done_is_bitwise_nothing(ask, bank_of, part, part_order):
    plan = PLAN.replace(part_order=part_order)
    expected, untouched = ask(plan)
    bank = bank_of(plan)
    shams = [
        Replace(part, Noise(bank, 0.0)),
        Replace(part, Given(bank)),
        Replace(part, Given()),
        permute(part, (0, 1, 2), bank),
        Replace(part, Zero(), steps=()),
        Drop(part, steps=()),
    ]
    for sham in shams:
        logits, state = ask(plan, [sham], own=bank)
        assert torch.equal(logits, expected)
        assert torch.equal(state.picks, untouched.picks)


@pytest.mark.parametrize("part", ["latent_text", "latent_vision", "latent"])
@pytest.mark.parametrize("part_order", ["vision_text", "text_vision"])
@pytest.mark.parametrize("stride", [None, 2, 7])
def test_what_is_dropped_moves_nothing_after_it(ask, monkeypatch, part, part_order, stride):
    """Every slot that is left, and the text, keep their position ids."""
    forward = Backbone.forward
    positions = []

    def recording(self, embeds, where, *arguments):
        positions.append(where)
        return forward(self, embeds, where, *arguments)

    monkeypatch.setattr(Backbone, "forward", recording)
    plan = PLAN.replace(part_order=part_order, stride=stride)

    def by_kind(interventions):
        positions.clear()
        state = ask(plan, interventions)[1]
        where = torch.cat(positions, dim=1)
        text = where[:, state.kinds.shape[1] :]
        return {
            kind: where[:, : state.kinds.shape[1]][state.kinds == kind].tolist() for kind in Kind
        } | {"text": text.tolist()}

    expected, dropped = by_kind([]), by_kind([Drop(part)])
    for kind, name in ((Kind.LATENT_TEXT, "latent_text"), (Kind.LATENT_VISION, "latent_vision")):
        gone = part in (name, "latent")
        assert dropped.pop(kind) == ([] if gone else expected[kind])
        del expected[kind]
    assert dropped == expected
    logits, state = ask(plan, [Drop(part, steps=(2,))])
    assert not torch.equal(logits, ask(plan)[0])
    if part != "latent_text":
        assert state.picks is None


def test_a_dropped_step_reads_the_next_latent_off_the_same_position(ask):
    _, state = ask(LatentPlan(steps=2, k=1), [Drop("latent", steps=(1,))])
    _, one = ask(LatentPlan(steps=1, k=1))
    assert torch.equal(state.latents[1].text, one.latents[0].text)
    assert torch.equal(state.rows[0], state.rows[1])


def test_permuting_gives_each_step_the_latents_of_another(ask, bank_of, examples):
    bank, order = bank_of(PLAN), (2, 0, 1)
    logits, state = ask(PLAN, [permute("latent", order, bank)])
    for latent, source in zip(state.latents, order, strict=True):
        assert torch.equal(latent.text, bank.text[:, source])
        assert torch.equal(latent.vision, bank.vision[:, source])
    assert not torch.equal(logits, ask(PLAN)[0])
    back = ask(PLAN, [permute("latent", order, bank), permute("latent", (0, 1, 2), bank)])[0]
    assert torch.equal(back, ask(PLAN)[0])
    with pytest.raises(UserError, match=r"\(0, 2\) is not a permutation of the steps 0 to 1"):
        permute("latent_text", (0, 2), bank)
    with pytest.raises(UserError, match=r"the order \(1, 0\) of the steps says nothing of step 3"):
        ask(PLAN, [permute("latent_text", (1, 0), bank)])


def test_replacing_by_the_placeholder_is_the_filler_plan(ask):
    filler = PLAN.replace(content="placeholder")
    expected, state = ask(filler)
    logits, replaced = ask(PLAN, [Replace("latent", Placeholder())])
    assert torch.equal(logits, expected)
    assert torch.equal(replaced.picks, state.picks)


def test_a_filler_holds_the_same_whatever_was_asked(ask, reasoner):
    _, state = ask(PLAN.replace(content="placeholder"))
    constant = reasoner.backbone.embed_tokens(torch.tensor(reasoner.placeholder_id))
    for latent in state.latents:
        assert torch.equal(latent.text, constant.expand_as(latent.text))
        assert torch.equal(latent.vision, constant.expand_as(latent.vision))


def test_the_latents_of_a_bypass_are_full_but_inert(ask, bank_of):
    expected, state = ask(BYPASS)
    bank = bank_of(BYPASS)
    sources = (Zero(), Placeholder(), Mean(bank), Constant(bank), Noise(bank, 9.0), swap(bank))
    for source in sources:
        logits, changed = ask(BYPASS, [Replace("latent", source)])
        assert not torch.equal(changed.latents[0].text, state.latents[0].text)
        assert torch.equal(logits, expected)
        assert not torch.equal(ask(PLAN, [Replace("latent", source)])[0], ask(PLAN)[0])
    assert state.latents[0].text.std(0).max() > 0


def swap(bank):
    """What another example of the same bank had."""
    names = dict.fromkeys(bank.examples, "")
    return Resample(bank, Donors(names, names))


def mirrored(examples):
    """Other pictures of the same sizes."""
    flip = Image.Transpose.FLIP_TOP_BOTTOM
    return [replace(example, image=example.image.transpose(flip)) for example in examples]


def test_all_that_a_relay_knows_goes_through_its_latents(ask, examples):
    others = mirrored(examples)
    assert not torch.equal(ask(RELAY)[0], ask(RELAY, examples=others)[0])
    dropped = [ask(RELAY, [Drop("latent_text")], asked)[0] for asked in (examples, others)]
    assert torch.equal(*dropped)


def test_all_that_a_gaze_sees_goes_through_its_patches(ask, bank_of, examples):
    others = mirrored(examples)
    assert not torch.equal(ask(GAZE)[0], ask(GAZE, examples=others)[0])
    patches = Replace("latent_vision", Given(bank_of(GAZE)))
    fixed = [ask(GAZE, [patches], asked)[0] for asked in (examples, others)]
    assert torch.equal(*fixed)


def test_replacements_are_what_they_say(ask, bank_of, examples):
    bank = bank_of(PLAN)
    _, state = ask(PLAN, [Replace("latent", Mean(bank))])
    torch.testing.assert_close(state.latents[1].text[0], bank.text[:, 1].mean(0))
    torch.testing.assert_close(state.latents[1].vision[2], bank.vision[:, 1].mean(0))
    _, state = ask(PLAN, [Replace("latent", Constant(bank))])
    torch.testing.assert_close(state.latents[0].text[1], bank.text.mean((0, 1)))
    torch.testing.assert_close(state.latents[2].vision[1, 1], bank.vision.mean((0, 1, 2)))
    _, state = ask(PLAN, [Replace("latent", swap(bank), steps=(2,))])
    for i in range(len(examples)):
        matches = [j for j in range(3) if torch.equal(state.latents[1].text[i], bank.text[j, 1])]
        assert len(matches) == 1
        assert matches != [i]
        assert torch.equal(state.latents[1].vision[i], bank.vision[matches[0], 1])
    _, state = ask(PLAN, [Replace("latent_text", Noise(bank, 3.0, keep_norm=True), steps=(1,))])
    torch.testing.assert_close(state.latents[0].text.norm(dim=-1), bank.text[:, 0].norm(dim=-1))
    assert not torch.equal(state.latents[0].text, bank.text[:, 0])


def test_the_first_step_is_repeated_and_keeps_its_own(ask, bank_of):
    bank = bank_of(PLAN)
    state = ask(PLAN, [Replace("latent", Reordered("first", (1, 2, 3)))], own=bank)[1]
    for latent in state.latents:
        assert torch.equal(latent.text, bank.text[:, 0])
        assert torch.equal(latent.vision, bank.vision[:, 0])
    alone = [Replace("latent", Reordered("first", (1,)), steps=(1,))]
    assert torch.equal(ask(PLAN, alone, own=bank)[0], ask(PLAN)[0])


def test_reversing_is_the_permutation_of_that_order(ask, bank_of):
    bank = bank_of(PLAN)
    found = ask(PLAN, [Replace("latent", Reordered("reverse", (1, 2, 3)))], own=bank)[0]
    assert torch.equal(found, ask(PLAN, [permute("latent", (2, 1, 0), bank)])[0])
    # Two of the steps change places, and the third is made anew.
    swap = [Replace("latent_text", Reordered("reverse", (1, 3)), steps=(1, 3))]
    state = ask(PLAN, swap, own=bank)[1]
    assert torch.equal(state.latents[0].text, bank.text[:, 2])
    assert torch.equal(state.latents[2].text, bank.text[:, 0])


def test_a_random_order_is_the_same_for_both_parts_and_whatever_the_batch(ask, bank_of, examples):
    bank = bank_of(PLAN)
    mixed = [Replace("latent", Reordered("permute", (1, 2, 3)))]
    state = ask(PLAN, mixed, own=bank)[1]
    for i in range(len(examples)):
        order = []
        for latent in state.latents:
            held = [torch.equal(latent.text[i], bank.text[i, step]) for step in range(3)]
            order.append(held.index(True))
            assert torch.equal(latent.vision[i], bank.vision[i, order[-1]])
        assert sorted(order) == [0, 1, 2]
        assert all(order[step] != step for step in range(3))
        alone = ask(PLAN, mixed, examples[i : i + 1], own=bank)[1]
        for one, many in zip(alone.latents, state.latents, strict=True):
            assert torch.equal(one.text[0], many.text[i])


def test_another_draw_takes_other_streams(ask, bank_of):
    bank = bank_of(PLAN)
    noise = Noise(bank, 1.0)
    texts = [
        ask(PLAN, [Replace("latent_text", noise, (1,), draw)])[1].latents[0].text
        for draw in (0, 0, 1)
    ]
    assert torch.equal(texts[0], texts[1])
    assert not torch.equal(texts[0], texts[2])
    still = ask(PLAN, [Replace("latent", Given(bank), draw=5)])[0]
    assert torch.equal(still, ask(PLAN)[0])


def test_refuses_replacements_that_are_not_there(ask, bank_of, examples):
    text_only = bank_of(PLAN.replace(k=0))
    with pytest.raises(UserError, match="there is no latent_vision to take replacements from"):
        ask(PLAN, [Replace("latent_vision", Mean(text_only))])
    with pytest.raises(UserError, match="there is no latent_text of step 4"):
        ask(PLAN.replace(steps=4, k=1), [Replace("latent_text", Mean(text_only))])
    with pytest.raises(UserError, match="no recorded latents for e0"):
        ask(PLAN, [Replace("latent_text", Given(Bank(("x", "y", "z"), text_only.text, None)))])
    alone = Bank(("e0",), text_only.text[:1], None)
    with pytest.raises(UserError, match="needs at least two examples"):
        ask(PLAN, [Replace("latent_text", swap(alone))])
    with pytest.raises(UserError, match="needs at least two"):
        ask(PLAN, [Replace("latent_text", Noise(alone))])


def test_a_control_on_the_prompt_puts_words_for_words_and_patches_for_patches(reasoner, examples):
    batch = reasoner.prompter.batch(examples, LatentPlan(steps=0))
    embeds = reasoner.backbone.embed(batch)
    is_image = (batch.input_ids == reasoner.backbone.image_token_id) & batch.attention_mask
    hidden = embeds.shape[-1]
    names = tuple(example.id for example in examples)
    words, image = torch.full((3, hidden), 2.0), torch.full((3, hidden), 3.0)
    edit = PromptReplace(Mean(Bank(names, None, None, words, image)), count=6)
    context = Context(names, None, 0)
    edited = edit.edit_prompt(embeds, batch.attention_mask, is_image, context)
    changed = (edited != embeds).any(-1)
    assert (changed.sum(-1) == 6).all()
    assert not changed[~batch.attention_mask].any()
    assert (edited[changed & is_image] == 3).all()
    assert (edited[changed & ~is_image] == 2).all()
    blind = PromptReplace(Mean(Bank(names, None, None, words)), count=6)
    assert (blind.edit_prompt(embeds, batch.attention_mask, is_image, context)[changed] == 2).all()


def test_a_control_on_chosen_positions_touches_these_alone_and_never_more_than_there_are(
    reasoner, examples
):
    batch = reasoner.prompter.batch(examples, LatentPlan(steps=0))
    embeds, ordinary = reasoner.backbone.embed(batch), batch.attention_mask
    is_image = (batch.input_ids == reasoner.backbone.image_token_id) & ordinary
    names = batch.examples
    where = {"e0": (1, 3), "e1": (), "e2": (0, 2, 4, 5)}
    edit = PromptReplace(Zero(), count=3, where=where)
    context = Context(names, None, 0)
    edited = edit.edit_prompt(embeds, ordinary, is_image, context)
    for i, name in enumerate(names):
        length = int(ordinary[i].sum())
        first = embeds.shape[1] - length
        changed = (edited[i] != embeds[i]).any(-1).nonzero().flatten() - first
        places = edit.places(name, length, 0)
        assert set(changed.tolist()) == set(places) <= set(where[name])
        assert len(places) == min(3, len(where[name]))
        # The same in whatever batch.
        alone = (slice(i, i + 1), slice(first, None))
        one = edit.edit_prompt(
            embeds[alone], ordinary[alone], is_image[alone], Context((name,), None, 0)
        )
        assert torch.equal(one[0], edited[i, first:])
    every = PromptReplace(Zero(), count=None, where=where).places("e2", 9, 0)
    assert sorted(every) == [0, 2, 4, 5]
    with pytest.raises(UserError, match="e9"):
        edit.places("e9", 5, 0)
