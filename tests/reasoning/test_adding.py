"""What is added is added where it is said, as often as it is said, and is nothing at zero."""

import pytest
import torch

from latentlab.errors import UserError
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Add, Drop, Hooked, Intervention, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Context, Given, Mean, Vector, Zero
from latentlab.reasoning.trajectory import Latent
from latentlab.reasoning.visibility import Kind

PLAN = LatentPlan(steps=3, k=2)
PARTS = {"latent_text": ("text",), "latent_vision": ("vision",), "latent": ("text", "vision")}
CONTEXT = Context(("a", "b"), None, 0)


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture
def ask(reasoner, examples):
    """Runs the plan and returns the answer's logits and the state."""

    def run(*interventions, own=None):
        rollout = reasoner.rollout(PLAN)
        batch = reasoner.prompter.batch(examples, PLAN)
        state = rollout.reason(rollout.prefill(batch), interventions, own)
        ids = torch.tensor([[10, 11]]).expand(len(examples), -1)
        return rollout.extend(state.fork(), ids, torch.full_like(ids, Kind.ANSWER))[:, 1:], state

    return run


@pytest.fixture
def direction(reasoner):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(reasoner.backbone.text_config.hidden_size, generator=generator)


def bank_of(examples, state):
    return Bank.of([example.id for example in examples], [state.latents])


def test_a_vector_is_the_same_in_every_slot(direction):
    original = torch.zeros(2, 3, len(direction), dtype=torch.float64)
    for part in ("latent_text", "latent_vision", "prompt"):
        values = Vector(direction).values(original, part, 1, CONTEXT)
        assert values.dtype == original.dtype and values.shape == original.shape
        assert torch.equal(values, direction.double().expand_as(original))


@pytest.mark.parametrize("part", PARTS)
def test_a_vector_is_put_into_the_slots_of_its_part(ask, direction, part):
    logits, state = ask(Replace(part, Vector(direction), steps=(2,)))
    before, untouched = ask()
    for step, (new, old) in enumerate(zip(state.latents, untouched.latents, strict=True), 1):
        for name in ("text", "vision"):
            value = getattr(new, name)
            given = step == 2 and name in PARTS[part]
            assert torch.equal(value, direction.expand_as(value)) == given
            if step == 1 or (step == 2 and not given):
                assert torch.equal(value, getattr(old, name))
    assert not torch.equal(logits, before)


@pytest.mark.parametrize("part", PARTS)
def test_every_slot_keeps_what_it_holds_and_gets_the_vector(direction, part):
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2, len(direction), generator=generator)
    vision = torch.randn(2, 3, len(direction), generator=generator)
    latent = Latent(text, vision, torch.zeros(2, 3, dtype=torch.long))
    for strength in (1.0, -2.5):
        add = Add(part, Vector(direction), strength, steps=(2, 3))
        assert add.edit(latent, 0, CONTEXT) is latent
        new = add.edit(latent, 1, CONTEXT)
        for name in ("text", "vision"):
            expected = getattr(latent, name)
            if name in PARTS[part]:
                expected = expected + strength * direction
            assert torch.equal(getattr(new, name), expected)
        assert new.picks is latent.picks
    bare = latent.replace(text=None, vision=None)
    assert Add(part, Vector(direction)).edit(bare, 0, CONTEXT) is bare


@pytest.mark.parametrize("part", PARTS)
def test_adding_nothing_is_bitwise_nothing(ask, direction, part):
    expected, untouched = ask()
    for sham in (
        Add(part, Vector(direction), strength=0.0),
        Add(part, Vector(torch.zeros_like(direction))),
        Add(part, Zero(), strength=9.0),
        Add(part, Vector(direction), steps=()),
    ):
        logits, state = ask(sham)
        assert torch.equal(logits, expected)
        assert torch.equal(state.picks, untouched.picks)


@pytest.mark.parametrize("part", PARTS)
def test_adding_at_a_step_is_putting_the_sum_there(ask, examples, direction, part):
    before, untouched = ask()
    bank = bank_of(examples, untouched)
    moved = Bank(bank.examples, bank.text + 2.0 * direction, bank.vision + 2.0 * direction)
    added = ask(Add(part, Vector(direction), 2.0, steps=(2,)))[0]
    assert torch.equal(added, ask(Replace(part, Given(moved), steps=(2,)))[0])
    assert not torch.equal(added, before)
    # Steps count from 1, and what happens at one step is not what happens at another.
    assert not torch.equal(added, ask(Add(part, Vector(direction), 2.0, steps=(1,)))[0])
    assert not torch.equal(added, ask(Add(part, Vector(direction), -2.0, steps=(2,)))[0])


def test_what_is_added_may_come_from_any_source(ask, examples):
    """The mean of the references, of each slot; their own latents again."""
    bank = bank_of(examples, ask()[1])
    first = ask(Add("latent", Mean(bank), 0.5, steps=(1,)))[1].latents[0]
    torch.testing.assert_close(first.text, bank.text[:, 0] + 0.5 * bank.text[:, 0].mean(0))
    torch.testing.assert_close(first.vision, bank.vision[:, 0] + 0.5 * bank.vision[:, 0].mean(0))
    twice = ask(Add("latent", Given(), steps=(1,)), own=bank)[1].latents[0]
    assert torch.equal(twice.text, 2 * bank.text[:, 0])
    assert torch.equal(twice.vision, 2 * bank.vision[:, 0])
    with pytest.raises(UserError, match="there is no latent_vision to take replacements from"):
        ask(Add("latent_vision", Mean(Bank(bank.examples, bank.text, None))))


def test_edits_are_applied_in_their_order(ask, direction):
    """What is left out gets nothing added; what is overwritten forgets what was added."""
    vector = Vector(direction)
    dropped = ask(Drop("latent_text"))[0]
    assert torch.equal(ask(Drop("latent_text"), Add("latent_text", vector))[0], dropped)
    assert torch.equal(ask(Add("latent_text", vector), Drop("latent_text"))[0], dropped)
    zero = Replace("latent", Zero())
    assert torch.equal(ask(Add("latent", vector), zero)[0], ask(zero)[0])
    state = ask(zero, Add("latent", vector), Add("latent", vector))[1]
    for latent in state.latents:
        assert torch.equal(latent.text, (2 * direction).expand_as(latent.text))
        assert torch.equal(latent.vision, (2 * direction).expand_as(latent.vision))


def test_edits_of_latents_are_interventions_and_act_nowhere_else():
    for edit in (Drop(), Replace("latent", Zero()), Add("latent", Zero())):
        assert isinstance(edit, Intervention)
        assert not isinstance(edit, Hooked)
