"""Runs every reading of one model that takes latent steps: probes, answers, similarity."""

from collections.abc import Sequence

import pandas as pd

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.probe.config import ANSWER_TOKENS, FEWEST, ProbeConfig
from latentlab.probe.features import collect, labels_of
from latentlab.probe.probes import probe_grid
from latentlab.probe.similarity import all_rank_values, similarity_values
from latentlab.reasoner import Reasoner
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.sources import Placeholder
from latentlab.study.arms import Arm
from latentlab.study.instrument import Subject
from latentlab.study.picks import check_picks
from latentlab.study.run import run_arms
from latentlab.study.steps import one_call, same_steps

ProbeLabels = dict[str, list[str]]
"""What probes read: a label of each example, by the name of the target."""


def prepare(config: ProbeConfig, subject: Subject) -> ProbeLabels | None:
    """Look for what would go wrong in the middle of a run, and find what can be probed.

    Raises:
        UserError: too few examples or patches, no traces where the model needs them, or a layer
            that the model does not have.
    """
    reasoner, examples = subject.reasoner, subject.examples
    if not one_call(subject, "probes"):
        return None
    if not reasoner.plan.steps:
        subject.lacks(f"{reasoner.name} takes no latent steps, so there is nothing to probe")
        return None
    if not same_steps(subject, "probes"):
        return None
    if len(examples) < FEWEST:
        raise UserError(f"{config.data} has {len(examples)} examples; probes need {FEWEST}")
    for layer in config.layer:
        if not 0 <= layer < reasoner.backbone.n_layers:
            last = reasoner.backbone.n_layers - 1
            raise UserError(f"--layer {layer}: {reasoner.name} has layers 0 to {last}")
    if reasoner.plan.has_vision:
        check_picks(reasoner, examples)
    labels, traced = labels_of(examples)
    if subject.first and not traced:
        named = ", ".join(labels) or "nothing, since no label comes back often enough"
        subject.tell(f"{config.data} has no traces of what each hop is about; probed: {named}")
    return labels


def rows_of(config: ProbeConfig, subject: Subject, labels: ProbeLabels) -> pd.DataFrame:
    """Run every reading of one model that takes latent steps.

    Returns:
        Rows `model, data, example, domain, kind, place, step, layer, target` and

        - of kind `probe`: `label`, `correct`, and with shuffled labels the same for each shuffle
          (`control_1`, ...) and the share of those that are right, `control`
          (`probe.probes.probe_grid`);
        - `left alone` and `latent-only`: whether the model's own `answer` and its
          `likeliest option` are `correct`, untouched and with its latents as all that the answer
          sees; of the latter the `control` has empty slots;
        - `similarity` and `rank`: a `value` whose mean is the estimate (`probe.similarity`);
          of a rank there is one for each block of examples.
    """
    reasoner = subject.reasoner
    asked = list(subject.examples)
    collected = collect(reasoner, asked, config.layer or None, config.batch_size, config.seed)
    domains = [example.domain for example in asked]
    parts = []
    if labels:
        grid = probe_grid(collected.features, labels, domains, config.seed, config.shuffles)
        parts.append(grid.assign(kind="probe"))
    parts.append(_answers(config, reasoner, asked))
    for place, vectors in collected.series.items():
        for target, step, values in similarity_values(vectors):
            named = {"kind": "similarity", "place": place, "step": step, "target": target}
            parts.append(pd.DataFrame({"index": range(len(values)), "value": values, **named}))
        for target, step, values in all_rank_values(vectors, config.seed):
            named = {"kind": "rank", "place": place, "step": step, "target": target}
            parts.append(pd.DataFrame({"value": values, **named}))
    shuffles = [f"control_{i + 1}" for i in range(config.shuffles)]
    typed = {"step": "Int64", "layer": "Int64", "control": "float32"}
    typed |= dict.fromkeys(["correct", *shuffles], "boolean")
    # One type for all parts before they are joined: they do not all have all columns.
    columns = ["kind", "place", "step", "layer", "target", "index", "label"]
    columns += ["correct", "control", *shuffles, "value"]
    rows = pd.concat([part.reindex(columns=columns).astype(typed) for part in parts])
    who = pd.DataFrame({"example": [example.id for example in asked], "domain": domains})
    who = who.reindex(rows.pop("index")).reset_index(drop=True)
    rows = rows.astype({"target": "str", "label": "str", "value": "float64"}).reset_index(drop=True)
    return pd.concat([who, rows], axis=1).assign(model=reasoner.name, data=config.data)


def _answers(config: ProbeConfig, reasoner: Reasoner, examples: Sequence[Example]) -> pd.DataFrame:
    """The model's own answers, untouched and from its latents alone."""
    plan = reasoner.plan
    alone = plan.replace(blocked=(*plan.blocked, ("answer", "image"), ("answer", "prompt")))
    empty = (Replace("latent", Placeholder()),)
    arms = [Arm(), Arm("other", label="alone", plan=alone)]
    if reasoner.placeholder_id is not None:
        arms.append(Arm("other", label="empty", plan=alone, interventions=empty))
    size, seed = config.batch_size, config.seed
    rows = run_arms(reasoner, examples, arms, config.data, size, seed, ANSWER_TOKENS, at_once=True)
    parts = []
    for target, column in (("answer", "correct"), ("likeliest option", "correct_likelihood")):
        right = {arm: of_arm[column].to_numpy() for arm, of_arm in rows.groupby("intervention")}
        for kind, arm, control in (("left alone", "none", ""), ("latent-only", "alone", "empty")):
            part = pd.DataFrame({"correct": right[arm], "control": right.get(control)})
            part = part.assign(kind=kind, target=target, place="answer", step=plan.steps + 1)
            parts.append(part.assign(index=range(len(part))))
    return pd.concat(parts)
