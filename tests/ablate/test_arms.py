"""What arms there are: each removal under every rule, each knock-out with its control."""

import re
from dataclasses import replace
from typing import get_args

from latentlab.ablate import arms, pick_arms
from latentlab.vocabulary import CONTROL, KNOCK_OUT, WordReplacement


def test_every_knock_out_has_its_control(name, model, data, every_arm):
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


def test_every_removal_is_run_under_every_rule_of_positions(name, model, data, every_arm):
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
    assert {"k=0", "select bottom, k=1", "select attention with reuse, k=2"} <= set(names)
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


def test_only_what_is_random_is_drawn_again(model, data, every_arm):
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


def test_controls_stay_with_their_arms_in_a_fixed_context(model):
    made = arms.drop_arms(["latent"], (2,), True)
    both = arms.in_contexts(made, ("remade", "frozen"), model("ivtlr").plan)
    names = {arm.name: arm for arm in both}
    assert len(names) == len(both) == 2 * len(made)
    for arm in both:
        assert not arm.control_of or names[arm.control_of].context == arm.context
    assert arms.in_contexts(made, (), model("ivtlr").plan) == made


def test_data_that_tell_less_are_said_to(model, data, capsys, replacing):
    reasoner = model("ivtlr")
    bare = [replace(example, trace=None, domain="") for example in data]
    replacing(reasoner, bare, ("other",), ["latent"])
    said = capsys.readouterr().err
    assert "nothing tells which words and patches the questions of benchmark do not need" in said
    assert "only the weaker control, on any prompt positions" in said
    replacing(reasoner, data, ("other",), ["latent"])
    assert capsys.readouterr().err == ""
