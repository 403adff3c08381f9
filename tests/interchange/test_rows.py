"""What an exchange must do, and what it must leave alone, by construction of the plan."""

import pytest

from latentlab.data import CachedExamples, load_data
from latentlab.data.pairs import match
from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.exchanges import parts_of, swaps_of
from latentlab.interchange.rows import prepare
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.study.instrument import Subject
from latentlab.study.run import run_arms
from latentlab.training.recipes import PLANS

SEALED = tuple((query, key) for query in ("answer", "latent") for key in ("image", "prompt"))
"""Nothing but latents reaches the answer, and nothing but latents reaches a later latent."""

NUMBERS = ["gold_logprob", "gold_log_odds", "log_odds_change", "kl", "margin", "margin_shift"]


@pytest.fixture(scope="module")
def data():
    return CachedExamples(load_data("benchmark:domain=letters", limit=8))


@pytest.fixture
def exchanged(measured, planned, data):
    """Rows with short answers, since untrained models never come to an end."""

    def call(plan, lacks=None, **flags):
        config = InterchangeConfig(max_new_tokens=2, **flags)
        return measured("interchange", config, planned(plan), data, lacks=lacks)

    return call


def against_untouched(rows):
    """Every exchanged row next to the untouched one of its recipient."""
    alone = rows[rows["intervention"] == "none"]
    return rows[rows["intervention"] != "none"].merge(
        alone, on=["donor", "example"], suffixes=("", "_alone"), validate="many_to_one"
    )


def unmoved(rows) -> list[bool]:
    both = against_untouched(rows)
    assert len(both)
    columns = [both[f"{name}{of}"] for name in ("option_logprobs", "text") for of in ("", "_alone")]
    return [a == b and said == before for a, b, said, before in zip(*columns, strict=True)]


@pytest.mark.parametrize("plan", ["ivtlr", "relay", "gaze"])
def test_swapping_a_latent_with_itself_changes_no_bit(exchanged, plan):
    rows = exchanged(plan, donor=("self",))
    assert all(unmoved(rows))
    assert (rows["kl"] == 0).all()
    assert not rows["flip"].any()


@pytest.mark.parametrize("plan", ["bypass", "filler"])
def test_latents_that_cannot_be_seen_or_hold_nothing_exchange_without_a_trace(exchanged, plan):
    rows = exchanged(plan, donor=("same_image", "unrelated"))
    assert set(rows["part"]) == {"", "latent_text", "latent_vision", "latent"}
    assert set(rows["steps"]) == {"", "1", "2", "3", "1..2", "1..3"}
    assert all(unmoved(rows))


def test_the_same_exchange_is_felt_where_latents_are_seen(exchanged):
    rows = exchanged("ivtlr", donor=("same_image", "unrelated"), steps=("each",))
    assert not any(unmoved(rows[rows["part"].isin(["", "latent"])]))


@pytest.mark.parametrize(
    "plan",
    [
        LatentPlan(steps=3, k=0, blocked=SEALED),
        LatentPlan(steps=3, k=1, select="random", blocked=SEALED),
    ],
)
def test_where_only_latents_reach_the_answer_all_of_them_bring_the_donors_answer(
    exchanged, planned, data, plan
):
    pairs = match("same_image", data)
    rows = exchanged(plan, donor=("same_image",), part=("latent",))
    donors = run_arms(
        planned(plan), pairs.donors, [Arm()], "benchmark", max_new_tokens=2, at_once=True
    )
    whole = rows[rows["steps"] == "1..3"]
    assert whole["donor_example"].tolist() == donors["example"].tolist()

    def as_donors(steps: str) -> list[bool]:
        pairwise = zip(
            rows[rows["steps"] == steps]["option_logprobs"], donors["option_logprobs"], strict=True
        )
        return [a == pytest.approx(b, abs=1e-5) for a, b in pairwise]

    assert all(as_donors("1..3"))
    # Neither the untouched recipient nor the last latent alone does it: earlier ones are seen too.
    assert not any(as_donors(""))
    assert not any(as_donors("3"))
    assert whole["text"].tolist() == donors["text"].tolist()
    assert whole["donor_correct"].tolist() == donors["correct"].tolist()


def test_batch_size_does_not_change_rows(exchanged):
    one, many = (exchanged("ivtlr", batch_size=size, steps=("all",)) for size in (3, 64))
    lists = ["option_logprobs", "choices"]
    drop = [*NUMBERS, *lists, "seconds"]
    assert one.drop(columns=drop).equals(many.drop(columns=drop))
    assert one["choices"].tolist() == many["choices"].tolist()
    scores = zip(one["option_logprobs"], many["option_logprobs"], strict=True)
    assert all(a == pytest.approx(b, abs=1e-4) for a, b in scores)
    assert (one[NUMBERS] - many[NUMBERS]).abs().max().max() < 1e-4


def test_rows_name_the_pair_and_the_exchange(exchanged):
    rows = exchanged("relay")
    assert not rows.duplicated(["donor", "intervention", "example"]).any()
    arms = rows[rows["donor"] == "unrelated"].drop_duplicates("intervention")
    assert arms["intervention"].tolist()[:2] == ["none", "unrelated latent_text at 1"]
    assert set(arms["steps"]) == {"", "1", "2", "3", "1..2", "1..3"}
    assert rows.groupby("donor")["kind"].agg(lambda kinds: set(kinds) - {"none"}).to_dict() == {
        "same_image": {"interchange"},
        "unrelated": {"control"},
        "same_answer": {"control"},
        "self": {"control"},
    }
    treated = rows[(rows["donor"] == "same_image") & (rows["part"] != "")]
    assert (treated["expected_answer"] == treated["donor_answer"]).all()
    assert rows[rows["part"] == ""]["expected_answer"].isna().all()


@pytest.mark.parametrize(
    ("count", "steps", "found"),
    [
        (3, ("each",), [("1", "each"), ("2", "each"), ("3", "each")]),
        (3, ("cumulative",), [("1", "each"), ("1..2", "cumulative"), ("1..3", "all")]),
        (3, ("all",), [("1..3", "all")]),
        (1, ("each", "cumulative", "all"), [("1", "all")]),
        (2, ("all", "each"), [("1", "each"), ("2", "each"), ("1..2", "all")]),
        (0, ("all",), []),
    ],
)
def test_every_set_of_steps_is_exchanged_once(count, steps, found):
    config = InterchangeConfig(steps=steps, part=("latent_text",))
    swaps = swaps_of(config, LatentPlan(steps=count, k=0))
    assert [(swap.at, swap.step_set) for swap in swaps] == found


def test_parts_are_those_a_model_has(exchanged, planned, data):
    config = InterchangeConfig()
    assert parts_of(config, PLANS["relay"]) == ("latent_text", "latent")
    assert parts_of(config, PLANS["gaze"]) == ("latent_text", "latent_vision", "latent")
    assert parts_of(config, PLANS["cot"]) == ()
    told = []
    asked = InterchangeConfig(part=("latent_vision",))
    assert prepare(asked, Subject(planned("relay"), data, lacks=told.append)) is None
    assert exchanged("cot", lacks=told).empty
    assert told == [
        "--part latent_vision: it has none",
        "it takes no latent steps and writes nothing before its answer, so there is nothing to "
        "exchange",
    ]
