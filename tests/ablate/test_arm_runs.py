"""What arms do to answers of models of which it is known what they must do."""

from dataclasses import replace
from functools import cache

import pytest
import torch

from latentlab.ablate import arms, pick_arms
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.materials import gather
from latentlab.ablate.replace_arms import replace_arms
from latentlab.data import load_data
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms

ANSWER = ["text", "choice", "gold_logprob"]


@pytest.fixture(scope="module")
def ask(model, data, every_arm):
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


def unchanged(rows):
    """What does nothing to a model changes nothing, and there is enough of it."""
    untouched = [a for a in rows.index.unique("intervention") if a.startswith(("sham", "noise 0"))]
    assert len(untouched) >= 4
    for arm in untouched:
        assert same_answers(rows, arm), arm


def test_every_arm_runs_and_nothing_done_changes_nothing(name, ask):
    unchanged(ask(name))


def test_every_arm_runs_at_one_step_and_nothing_done_changes_nothing(ask):
    unchanged(ask("ivtlr", (2,)))


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


def test_draws_differ_and_the_first_is_the_only_one_there_was(model, data, replacing):
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
    apart = ["seconds", "draws"]
    assert first.drop(columns=apart).equals(once.drop(columns=apart))
    drawn = ~thrice["intervention"].str.match("none|sham")
    assert (thrice["draws"] == drawn.map({True: 3, False: 1})).all()
    assert (once["draws"] == 1).all()
    for name in ("noise 1 latent", "noise 1 latent: on unneeded prompt positions", "select random"):
        odds = thrice[thrice["intervention"] == name].groupby("seed")["gold_log_odds"].sum()
        assert odds.nunique() == 3, name


def test_noise_that_keeps_the_norm_has_a_name_of_its_own(model, data, replacing):
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


def test_controls_on_the_prompt_are_as_many_positions_and_matched_where_that_can_be(
    model, data, replacing, parts_of
):
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
def test_freezing_everything_with_nothing_replaced_is_the_untouched_run(
    name, model, data, every_arm
):
    reasoner = model(name)
    nothing = arms.frozen(Arm("other", label="nothing"), reasoner.plan)
    shams = [arm for arm in every_arm(reasoner, data, (2,)) if arm.name.startswith("sham")]
    frozen = [arms.frozen(arm, reasoner.plan) for arm in shams]
    rows = run_arms(reasoner, data, [Arm(), nothing, *frozen], "benchmark", max_new_tokens=3)
    rows = rows.set_index(["intervention", "example"])
    assert "sham latent at step 2, others frozen" in rows.index.unique("intervention")
    for arm in rows.index.unique("intervention"):
        assert same_answers(rows, arm), arm
