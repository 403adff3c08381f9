"""What arms do to models of which it is known what they must do."""

import re
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest
import torch

from latentlab.ablate import arms, pick_arms
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.materials import gather
from latentlab.ablate.replace_arms import replace_arms
from latentlab.data import load_data
from latentlab.reasoner import Reasoner
from latentlab.reasoning.interventions import Drop
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Bank
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms
from latentlab.training.recipes import PLANS
from latentlab.vocabulary import CONTROL, KNOCK_OUT, Replacement, WordReplacement

MORE = {
    "vision": LatentPlan(steps=2, k=2, text=False),
    "every": LatentPlan(steps=2, k=0, select="all"),
    "strided": LatentPlan(steps=2, k=1, stride=5, select="random", part_order="text_vision"),
}
LATENT_MODELS = ["ivtlr", "relay", "gaze", "bypass", "filler", *MORE]
REPLACEMENTS = get_args(Replacement)
ANSWER = ["text", "choice", "gold_logprob"]


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark", limit=4))


@cache
def references():
    """Examples that are not evaluated."""
    return list(load_data("benchmark", limit=10)[4:])


def replacing(reasoner, data, replacements, parts, at=None, sigma=(1.0,), **flags):
    config = AblateConfig(replace=("noise",), sigma=sigma, **flags)
    materials = gather(config, reasoner, replacements, data, references())
    return replace_arms(reasoner.plan, replacements, parts, at, materials)


@pytest.fixture(scope="module")
def model(qwen):
    def make(name: str) -> Reasoner:
        plan = {**PLANS, **MORE}[name]
        return Reasoner(qwen.backbone, plan, qwen.prompter, qwen.placeholder_id, name)

    return make


def parts_of(plan):
    parts = ["latent_text"] * plan.text + ["latent_vision"] * plan.has_vision
    return [*parts, "latent"]


def every_arm(reasoner, data, at=None):
    """All that the flags of `ablate` can ask of a model."""
    plan = reasoner.plan
    made = arms.drop_arms(parts_of(plan), at, True)
    made += replacing(reasoner, data, REPLACEMENTS, ["latent"], at, (0.0, 1.0))
    single = ("zero", "other", "noise", "off_walk")
    made += replacing(reasoner, data, single, parts_of(plan)[:-1], at, (0.0,))
    made += arms.step_arms(plan, range(5), True)
    if plan.has_vision and plan.select != "all":
        made += pick_arms.k_arms(plan, (0, plan.k) if plan.select == "given" else range(4), True)
        rules = ["random", "all", "none"]
        rules += [] if plan.select == "given" else ["attention", "bottom"]
        made += pick_arms.select_arms(plan, rules, False, True)
    return [Arm(), *made]


@pytest.fixture(scope="module")
def ask(model, data):
    """The rows of all arms of a model, run once for all tests."""

    @cache
    def run(name: str, at: tuple[int, ...] | None = None):
        reasoner = model(name)
        chosen = every_arm(reasoner, data, at)
        rows = run_arms(reasoner, data, chosen, "benchmark", max_new_tokens=3, at_once=True)
        return rows.set_index(["intervention", "example"])

    return run


def same_answers(rows, arm, columns=ANSWER):
    return rows.loc[arm, columns].equals(rows.loc["none", columns])


@pytest.mark.parametrize("name", LATENT_MODELS)
def test_every_knock_out_has_its_control(name, model, data):
    chosen = every_arm(model(name), data)
    names = [arm.name for arm in chosen]
    assert len(set(names)) == len(names)
    by_name = {arm.name: arm for arm in chosen}
    for arm in chosen[1:]:
        assert arm.kind in (KNOCK_OUT, CONTROL)
        assert not arm.control_of or by_name[arm.control_of].kind == KNOCK_OUT
    controlled = {arm.control_of for arm in chosen}
    first = {a.name for a in chosen[1:] if a.kind == KNOCK_OUT and not a.control_of}
    uncontrolled = first - controlled
    # Random picks are themselves the control of other choices.
    assert uncontrolled <= {"select random", "select bottom", "select attention", "k=2", "k=3"}


@pytest.mark.parametrize("name", LATENT_MODELS)
def test_every_removal_is_run_under_every_rule_of_positions(name, model, data):
    chosen = every_arm(model(name), data)
    plan = model(name).plan
    rules = {}
    for arm in chosen[1:]:
        if arm.positions is not None:
            rules.setdefault(arm.control_of or arm.name, []).append(arm.positions)
    removals = {arm.name for arm in chosen if arm.name.startswith(("drop", "k=0", "select none"))}
    removals |= {f"steps={count}" for count in range(plan.steps)}
    assert {arm.partition(":")[0] for arm in removals} <= set(rules)
    for arm, found in rules.items():
        wanted = {"held", "closed", "kept"}
        if re.match("select all|k=", arm) and arm != "k=0":
            fewer = arm.startswith("k=") and int(arm[2:]) < plan.k
            wanted = wanted if fewer else {"held", "closed"}
        assert len(found) == len(set(found)), arm
        assert set(found) == wanted, arm


def test_rows_say_what_became_of_positions(ask):
    rows = ask("ivtlr")
    for arm, positions in {
        "none": "",
        "drop latent": "held",
        "drop latent: positions closed": "closed",
        "drop latent: slots kept, empty": "kept",
        "steps=1": "closed",
        "steps=1: positions held": "held",
        "steps=1: the difference empty": "kept",
        "steps=4": "",
        "k=3": "held",
        "k=3: positions closed": "closed",
        "k=3: as many at random": "",
        "zero latent": "",
    }.items():
        assert set(rows.loc[arm, "positions"]) == {positions}, arm


@pytest.mark.parametrize("part_order", ["vision_text", "text_vision"])
def test_closed_up_an_arm_is_the_plan_without_what_it_removes(model, data, part_order):
    """To the bit in all that is answered, whatever else the batch goes through."""
    reasoner = model("ivtlr")
    plan = reasoner.plan.replace(part_order=part_order)
    reasoner = Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, "ordered"
    )
    made = arms.drop_arms(parts_of(plan), None, True) + arms.step_arms(plan, [0, 1], True)
    made += pick_arms.k_arms(plan, [0, 1, 3], True)
    plans = {
        "drop latent_vision: positions closed": plan.replace(k=0),
        "drop latent_text: positions closed": plan.replace(text=False),
        "drop latent: positions closed": plan.replace(steps=0),
        "k=0: positions closed": plan.replace(k=0),
        "k=1: positions closed": plan.replace(k=1),
        "k=3: positions closed": plan.replace(k=3),
        "steps=0": plan.replace(steps=0),
    }
    without = [Arm(f"plan {arm}", KNOCK_OUT, plan=changed) for arm, changed in plans.items()]
    rows = run_arms(reasoner, data, [Arm(), *made, *without], "benchmark", max_new_tokens=3)
    rows = rows.set_index(["intervention", "example"])
    said = [*ANSWER, "option_logprobs"]
    for arm in plans:
        assert rows.loc[arm, said].equals(rows.loc[f"plan {arm}", said]), arm
    # Holding all of a removal is one thing, however it is asked for; so is emptying all slots.
    pairs = [("steps=0: positions held", "drop latent"), ("k=0", "drop latent_vision")]
    pairs += [("steps=0: the difference empty", "drop latent: slots kept, empty")]
    for one, other in pairs:
        assert rows.loc[one, said].equals(rows.loc[other, said]), one
    for held, closed in (("drop latent_vision", ": positions closed"), ("k=3", ": positions clo")):
        closed = next(name for name in plans if name.startswith(f"{held}{closed}"))
        assert not rows.loc[held, said].equals(rows.loc[closed, said])


def test_slots_that_are_kept_are_emptied_from_the_last(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    _, _, kept, _ = pick_arms.k_arms(reasoner.plan, [1], True)
    assert kept.name == "k=1: slots kept, empty"
    untouched = reasoner.rollout()(prompts).latents[0]
    emptied = reasoner.rollout(kept.plan)(prompts, kept.interventions).latents[0]
    placeholder = reasoner.backbone.embed_tokens(torch.tensor([reasoner.placeholder_id]))
    assert torch.equal(emptied.vision[:, 0], untouched.vision[:, 0])
    assert torch.equal(emptied.vision[:, 1], placeholder.expand(len(data), -1))
    assert torch.equal(emptied.text, untouched.text)


@pytest.mark.parametrize(("name", "at"), [*((n, None) for n in LATENT_MODELS), ("ivtlr", (1,))])
def test_every_arm_runs_and_nothing_done_changes_nothing(name, at, ask):
    rows = ask(name, at)
    untouched = [a for a in rows.index.unique("intervention") if a.startswith(("sham", "noise 0"))]
    assert len(untouched) >= 4
    for arm in untouched:
        assert same_answers(rows, arm), arm


@pytest.mark.parametrize("name", ["ivtlr", "gaze", "vision", "strided"])
def test_only_what_closes_up_moves_later_positions(name, model, data):
    reasoner = model(name)
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    untouched = reasoner.rollout()(prompts)
    own = Bank.of(prompts.examples, [untouched.latents])
    for arm in every_arm(reasoner, data):
        if arm.name.startswith("steps=") and arm.positions is None:
            continue  # more steps than it has
        rollout = reasoner.rollout(arm.plan)
        state = rollout.reason(rollout.prefill(prompts), arm.interventions, own)
        same = torch.equal(state.next_position, untouched.next_position)
        assert same == (arm.positions != "closed"), arm.name


def test_emptied_steps_stand_where_the_longer_rollout_has_them(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    made = {arm.name: arm for arm in arms.step_arms(reasoner.plan, [1, 5], True)}

    def end(arm):
        return reasoner.rollout(arm.plan)(prompts, arm.interventions).next_position

    assert torch.equal(end(made["steps=1: the difference empty"]), end(Arm()))
    assert torch.equal(end(made["steps=5: the difference empty"]), end(made["steps=5"]))
    assert torch.equal(end(made["steps=1"]) + 2 * 3, end(Arm()))


def test_answers_that_cannot_see_latents_do_not_change_with_them(ask):
    rows = ask("bypass")
    for arm in rows.index.unique("intervention"):
        positions = rows.loc[arm, "positions"].iloc[0]
        moved = positions == "closed" or arm.startswith("steps=4")
        if moved or arm.endswith(("words", "image positions", "prompt positions")):
            continue  # these change where the answer stands, or the prompt
        # Other slots make other sums of zeros, so only what keeps its slots is equal to the bit.
        keeps = not arm.startswith(("drop", "k=", "select")) and positions != "held"
        assert same_answers(rows, arm, ANSWER if keeps else ["text", "choice"]), arm
        gold = rows.loc[arm, "gold_logprob"] - rows.loc["none", "gold_logprob"]
        assert gold.abs().max() < 1e-4
        assert (rows.loc[arm, "correct"] == rows.loc["none", "correct"]).all()


def test_the_same_damage_to_the_prompt_reaches_such_answers(ask):
    rows = ask("bypass")
    assert not same_answers(rows, "zero latent: on unneeded prompt positions", ["gold_logprob"])


def test_latents_reach_answers_that_see_nothing_else(ask):
    rows = ask("relay")
    for arm in ("drop latent_text", "zero latent_text", "other latent_text", "steps=1"):
        assert not same_answers(rows, arm, ["gold_logprob"]), arm


def test_slots_without_content_have_nothing_to_swap_or_empty(ask):
    rows = ask("filler")
    kept = [f"{how} latent" for how in ("other", "other_any", "placeholder", "permute")]
    kept += [f"{how} latent" for how in ("reverse", "first")]
    kept += ["drop latent: slots kept, empty", "select bottom"]
    for arm in kept:
        assert same_answers(rows, arm), arm
    assert not same_answers(rows, "zero latent", ["gold_logprob"])
    assert not same_answers(rows, "norm_matched latent", ["gold_logprob"])


def test_one_step_is_left_alone_by_what_is_done_at_another(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    (arm, *_) = arms.drop_arms(["latent_vision"], (2,), True)
    assert arm.name == "drop latent_vision at step 3"
    rollout = reasoner.rollout()
    untouched, dropped = rollout(prompts), rollout(prompts, arm.interventions)
    assert [latent.vision is None for latent in dropped.latents] == [False, False, True]
    for step in range(2):
        assert torch.equal(untouched.latents[step].text, dropped.latents[step].text)


def test_random_picks_are_as_many_and_others(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    changed, _, control = pick_arms.k_arms(reasoner.plan, [3], True)
    picks = [reasoner.rollout(arm.plan)(prompts).picks for arm in (changed, control)]
    assert picks[0].shape == picks[1].shape == (4, 3, 3)
    assert not torch.equal(*picks)


def test_rules_are_crossed_with_numbers_of_patches_and_reuse(model, data):
    plan = model("ivtlr").plan
    rules = ["attention", "random", "bottom", "all", "none"]
    chosen = pick_arms.select_arms(plan, rules, True, True, (0, 1, 2, 6))
    reused = [arm.plan.reuse for arm in chosen if arm.plan is not None]
    crossed = {
        (arm.plan.select, arm.plan.k, arm.plan.reuse)
        for arm in chosen
        if arm.kind == KNOCK_OUT and arm.plan is not None
    }
    picking = {(rule, k, again) for rule in rules[:3] for k in (1, 2, 6) for again in (False, True)}
    own = {("attention", 2, False)}  # is the untouched arm
    assert crossed == (picking - own) | {("all", 2, False)}
    assert any(reused)
    assert not all(reused)
    names = [arm.name for arm in chosen]
    assert len(set(names)) == len(names)
    assert {"k=0", "select bottom, k=1", "select attention, k=2, with reuse"} <= set(names)
    planned = [arm for arm in chosen if arm.plan is not None]
    # Positions after a step stay where they are, whatever k is, unless they close up.
    assert {arm.plan.stride for arm in planned if arm.positions in (None, "held")} == {3}
    assert {arm.plan.stride for arm in planned if arm.positions == "closed"} == {None}


def test_without_random_among_the_rules_each_arm_has_random_picks_as_its_control(model):
    chosen = pick_arms.select_arms(model("ivtlr").plan, ["bottom"], True, True, (1, 2))
    by_name = {arm.name: arm for arm in chosen}
    picked = [arm for arm in chosen if not arm.control_of]
    assert len(picked) == 4
    for arm in picked:
        control = by_name[f"{arm.name}: {pick_arms.AT_RANDOM}"]
        assert control.control_of == arm.name
        assert control.plan == arm.plan.replace(select="random")


def test_only_what_is_random_is_drawn_again(model, data):
    reasoner = model("ivtlr")
    names = [arm.name for arm in arms.repeated(every_arm(reasoner, data), 3)]
    once = ("none", "drop", "zero", "mean", "constant", "reverse", "first", "placeholder", "sham")
    for name in dict.fromkeys(names):
        on_prompt = (" prompt positions", " image positions", " words")
        random = name.endswith((*on_prompt, "as many at random")) or not (
            name.startswith((*once, "steps=", "k=", "select bottom", "select all", "select none"))
        )
        assert names.count(name) == (3 if random else 1), name
    rationale = arms.rationale_arms(True, get_args(WordReplacement), None, None, 0)
    assert [(arm.name, arm.draw) for arm in arms.repeated(rationale, 2) if arm.draw] == [
        ("other rationale", 1),
        ("permute rationale", 1),
    ]


def test_draws_differ_and_the_first_is_the_only_one_there_was(model, data):
    reasoner = model("ivtlr")
    noise = replacing(reasoner, data, ("noise",), ["latent"])
    random = pick_arms.select_arms(reasoner.plan, ["random"], False, True)
    chosen = [Arm(), *noise, *random]
    once, thrice = (
        run_arms(reasoner, data, arms.repeated(chosen, n), "benchmark", max_new_tokens=2)
        for n in (1, 3)
    )
    assert sorted(thrice["seed"].unique()) == [0, 1, 2]
    first = thrice[thrice["seed"] == 0].reset_index(drop=True)
    assert first.drop(columns="seconds").equals(once.drop(columns="seconds"))
    for name in ("noise 1 latent", "noise 1 latent: on unneeded prompt positions", "select random"):
        odds = thrice[thrice["intervention"] == name].groupby("seed")["gold_log_odds"].sum()
        assert odds.nunique() == 3, name


def test_noise_that_keeps_the_norm_has_a_name_of_its_own(model, data):
    reasoner = model("relay")
    (arm, _, _) = replacing(reasoner, data, ("noise",), ["latent"], sigma=(0.3,), keep_norm=True)
    assert arm.name == "norm-kept noise 0.3 latent"
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    rollout = reasoner.rollout()
    norms = [
        state.latents[0].text.norm(dim=-1)
        for state in (rollout(prompts), rollout(prompts, arm.interventions))
    ]
    torch.testing.assert_close(*norms)


def test_controls_on_the_prompt_are_as_many_positions_and_matched_where_that_can_be(model, data):
    reasoner = model("ivtlr")
    made = replacing(reasoner, data, ("zero",), parts_of(reasoner.plan))
    rows = run_arms(reasoner, data, [Arm(), *made], "benchmark", max_new_tokens=2)
    rows = rows.set_index("intervention")
    for part, what, count in (
        ("latent_text", "on uninformative words", 3),
        ("latent_vision", "on off-walk image positions", 6),
        ("latent", "on unneeded prompt positions", 9),
    ):
        assert (rows.loc[f"zero {part}: {what}", "control_positions"] == count).all()
        assert rows.loc[f"zero {part}", "control_positions"].isna().all()
    bare = [replace(example, trace=None) for example in data]
    weak = replacing(reasoner, bare, ("zero",), ["latent"])
    assert weak[1].name == "zero latent: on any prompt positions"
    (edit,) = weak[1].prompt_edits
    assert (edit.where, edit.count) == (None, 9)


def test_data_that_tell_less_are_said_to(model, data, capsys):
    reasoner = model("ivtlr")
    bare = [replace(example, trace=None, domain="") for example in data]
    replacing(reasoner, bare, ("other",), ["latent"])
    said = capsys.readouterr().err
    assert "nothing tells which words and patches the questions of benchmark do not need" in said
    assert "only the weaker control, on any prompt positions" in said
    replacing(reasoner, data, ("other",), ["latent"])
    assert capsys.readouterr().err == ""


def test_donors_are_of_the_domain_never_evaluated_and_counted(model):
    reasoner, asked = model("relay"), load_data("benchmark", limit=9)
    config = AblateConfig(replace=("other",))
    lending = load_data("benchmark", limit=15)[9:]
    kinds = ("other", "other_any")
    materials = gather(config, reasoner, kinds, asked, lending)
    made = replace_arms(reasoner.plan, kinds, ["latent_text"], None, materials)
    chosen = arms.repeated([Arm(), *made], 2)
    rows = run_arms(reasoner, asked, chosen, "benchmark", batch_size=4, max_new_tokens=2)
    domains = {example.id: example.domain for example in (*asked, *lending)}
    lent = rows[rows["donor_example"].notna()]
    assert set(lent["intervention"].str.partition(" ")[0]) == {"other", "other_any"}
    assert not set(lent["donor_example"]) & {example.id for example in asked}
    same = lent[lent["intervention"] == "other latent_text"]
    assert (same["donor_example"].map(domains) == same["domain"]).all()
    any_domain = lent[lent["intervention"] == "other_any latent_text"]
    assert (any_domain["donor_example"].map(domains) != any_domain["domain"]).any()
    for _, arm in lent.groupby(["intervention", "seed"]):
        uses = arm["donor_example"].value_counts()
        assert (arm["donor_uses"] == arm["donor_example"].map(uses)).all()
    evenly = [*same.groupby(["seed", "domain"]), *any_domain.groupby("seed")]
    for _, arm in evenly:
        uses = arm["donor_uses"]
        assert uses.max() - uses.min() <= 1
    for cluster, donor in zip(lent["cluster"], lent["donor_example"], strict=True):
        assert f"donor {donor}" in cluster  # so intervals know that these answers go together
    draws = same.pivot(index="example", columns="seed", values="donor_example")
    assert (draws[0] != draws[1]).any()
    # The control takes its words from the same donor.
    control = lent[lent["intervention"] == "other latent_text: on uninformative words"]
    assert control["donor_example"].tolist() == same["donor_example"].tolist()


@pytest.mark.parametrize("name", ["ivtlr", "relay", "gaze", "vision", "every", "strided"])
def test_freezing_everything_with_nothing_replaced_is_the_untouched_run(name, model, data):
    reasoner = model(name)
    nothing = arms.frozen(Arm("nothing"), reasoner.plan)
    shams = [arm for arm in every_arm(reasoner, data, (1,)) if arm.name.startswith("sham")]
    frozen = [arms.frozen(arm, reasoner.plan) for arm in shams]
    rows = run_arms(reasoner, data, [Arm(), nothing, *frozen], "benchmark", max_new_tokens=3)
    rows = rows.set_index(["intervention", "example"])
    assert "sham latent at step 2, others frozen" in rows.index.unique("intervention")
    for arm in rows.index.unique("intervention"):
        assert same_answers(rows, arm), arm


@pytest.mark.parametrize("closed", [False, True])
def test_only_the_step_at_hand_differs_in_a_fixed_context(closed, model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    rollout = reasoner.rollout()
    untouched = rollout(prompts)
    own = Bank.of(prompts.examples, [untouched.latents])
    arm = Arm("x at step 1", interventions=(Drop("text", (0,), closed),))
    remade, frozen = arms.in_contexts([arm], ("remade", "frozen"), reasoner.plan)
    assert (remade.context, frozen.context) == ("remade", "frozen")
    assert (remade.name, frozen.name) == ("x at step 1", "x at step 1, others frozen")
    states = [
        rollout.reason(rollout.prefill(prompts), one.interventions, own) for one in (remade, frozen)
    ]
    for step in (1, 2):
        held, now = untouched.latents[step], states[1].latents[step]
        assert torch.equal(held.text, now.text)
        assert torch.equal(held.vision, now.vision)
        assert not torch.equal(held.text, states[0].latents[step].text)
    assert states[1].latents[0].text is None
    assert torch.equal(states[1].latents[0].vision, untouched.latents[0].vision)


def test_controls_stay_with_their_arms_in_a_fixed_context(model):
    made = arms.drop_arms(["latent"], (1,), True)
    both = arms.in_contexts(made, ("remade", "frozen"), model("ivtlr").plan)
    names = {arm.name: arm for arm in both}
    assert len(names) == len(both) == 2 * len(made)
    for arm in both:
        assert not arm.control_of or names[arm.control_of].context == arm.context
    assert arms.in_contexts(made, (), model("ivtlr").plan) == made
