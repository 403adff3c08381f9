"""Plans survive JSON, and refuse what contradicts itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import GROUPS

answers = st.sampled_from(["answer", "rationale"])
plans = st.builds(
    LatentPlan,
    steps=st.integers(0, 5),
    k=st.integers(0, 40),
    part_order=st.sampled_from(["vision_text", "text_vision"]),
    pick_order=st.sampled_from(["score", "spatial", "published"]),
    positions=st.sampled_from(["flat", "mrope"]),
    stride=st.none() | st.integers(1, 50),
    select=st.sampled_from(["attention", "random", "bottom", "all", "given"]),
    select_layers=st.none() | st.lists(st.integers(0, 9), min_size=1, unique=True).map(tuple),
    reuse=st.booleans(),
    content=st.sampled_from(["latent", "placeholder"]),
    gradient=st.sampled_from(["through", "detached"]),
    blocked=st.lists(st.tuples(answers, st.sampled_from(list(GROUPS)))).map(tuple),
)

written = st.builds(
    LatentPlan,
    steps=st.integers(0, 5),
    k=st.integers(0, 40),
    part_order=st.just("text_vision"),
    select=st.sampled_from(["attention", "random", "bottom", "all", "given"]),
    content=st.just("words"),
)


@given(plans | written)
def test_survives_json(plan):
    assert LatentPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@given(st.sets(st.sampled_from(["steps", "k", "select", "blocked"])))
def test_fields_that_a_file_leaves_out_have_their_defaults(names):
    values = {name: value for name, value in LatentPlan().to_dict().items() if name not in names}
    assert LatentPlan.from_dict(values) == LatentPlan()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": -1}, "steps is -1; give a whole number from 0"),
        ({"k": "3"}, "k is '3'; give a whole number"),
        ({"k": 0, "text": False}, "append nothing; set k or text"),
        ({"stride": 0}, "stride is 0; give a whole number from 1"),
        ({"select": "attentoin"}, "select is 'attentoin'; did you mean 'attention'?"),
        ({"gradient": "none"}, "gradient is 'none'; known: detached, through"),
        ({"select_layers": ()}, "selects by no layer"),
        ({"blocked": (("answer", "pixels"),)}, "no positions are called 'pixels'"),
        ({"blocked": (("prompt", "image"),)}, "but prompt positions, .* blocked from the image"),
        ({"blocked": (("latent", "image"),)}, "but latent_text positions"),
        (
            {"blocked": (("latent_vision", "image"),), "part_order": "text_vision"},
            "but latent_vision positions",
        ),
        ({"content": "words"}, "set text=true and part_order='text_vision'"),
        ({"content": "words", "text": False, "part_order": "text_vision"}, "set text=true and"),
        (
            {
                "content": "words",
                "part_order": "text_vision",
                "blocked": (("rationale", "image"),),
            },
            "but rationale positions",
        ),
    ],
)
def test_refuses_contradictions(changes, complaint):
    with pytest.raises(UserError, match=complaint):
        LatentPlan(**changes)


@pytest.mark.parametrize(
    "plan",
    [
        {"k": 0, "text": False, "select": "all"},
        {"k": 0, "blocked": (("prompt", "image"), ("latent", "image"))},
        {"select": "given", "blocked": (("latent", "image"),)},
        {"steps": 1, "blocked": (("latent", "image"),)},
        {"blocked": (("latent_vision", "image"),)},
        {"steps": 0, "k": 0, "text": False},
        {
            "content": "words",
            "part_order": "text_vision",
            "blocked": (("prompt", "image"), ("latent", "image")),
        },
    ],
)
def test_accepts_what_only_looks_like_a_contradiction(plan):
    assert LatentPlan(**plan).replace(k=LatentPlan(**plan).k) == LatentPlan(**plan)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"stepz": 3}, "unknown field 'stepz'; did you mean 'steps'?"),
        ({"blocked": 3}, "the plan: blocked is 3; give a list"),
        ({"k": True}, "k is true; give a whole number"),
        ({"text": "no"}, "text is 'no'; give true or false"),
        ({"text": None}, "text is null; give true or false"),
        ({"select_layers": "0"}, "select_layers is '0'; give a list"),
        ({"select_layers": [0.5]}, "select_layers 1 is 0.5; give a whole number"),
        ({"start_token": 1.5}, "start_token is 1.5; give a whole number or a text"),
        ({"blocked": [["answer"]]}, r"blocked 1 is \['answer'\]; give a list of 2"),
        ([], r"it holds \[\]; give values by name"),
    ],
)
def test_refuses_files_that_hold_no_plan(values, complaint):
    with pytest.raises(UserError, match=complaint):
        LatentPlan.from_dict(values)


def test_steps_in_words_have_no_latent_text():
    assert [LatentPlan().has_text, LatentPlan(text=False).has_text] == [True, False]
    plan = LatentPlan(content="words", part_order="text_vision")
    assert plan.in_words and plan.has_vision and not plan.has_text
    assert not plan.replace(k=0).has_vision and not LatentPlan().in_words
