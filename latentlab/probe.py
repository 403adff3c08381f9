"""Probe latents: what do they hold, at which step, and is it more than any token would hold?

    python -m latentlab.probe --model ivtlr relay gaze
    python -m latentlab.probe --model filler --layer 0 3 --limit 1000

Linear probes read objects and cells of every hop off each latent and each layer of its slot, next
to shuffled labels, other hops, the prompt and the question alone; the answer is also asked for
from the latents alone; and latents are compared with each other and with ordinary tokens.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.command import CommonConfig, run
from latentlab.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from latentlab.data import Example, Examples
    from latentlab.reasoner import Reasoner

FEWEST = 20
"""Examples that probes need at least."""

ANSWER_TOKENS = 16
"""Tokens after which an answer ends; a model that is cut off from its prompt may find no end."""


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(CommonConfig):
    """Flags of `python -m latentlab.probe`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    limit: int = 2000
    """Number of examples at most; probes of many names need many."""

    shuffles: int = 5
    """Number of times that labels are shuffled, for the control of each probe."""

    layer: tuple[int, ...] = ()
    """Decoder layers to read, counted from 0; by default all. What a step is fed is always read."""

    def __post_init__(self) -> None:
        """Refuse what probes cannot work with."""
        super().__post_init__()
        if self.limit < FEWEST:
            raise UserError(f"--limit {self.limit} is too small: probes need {FEWEST} examples")
        if self.shuffles < 1:
            raise UserError(f"--shuffles {self.shuffles} is too small: it is at least 1")
        if len(set(self.layer)) < len(self.layer):
            raise UserError(f"--layer names one layer twice: {' '.join(map(str, self.layer))}")


def check_probe(config: ProbeConfig, reasoner: "Reasoner", examples: "Examples") -> None:
    """Look for what would only go wrong in the middle of a run.

    Raises:
        UserError: too few examples or patches, no traces where the model needs them, or a layer
            that the model does not have.
    """
    import torch

    from latentlab.reasoning.selection import check_patches
    from latentlab.studies import fewest_patches

    if len(examples) < FEWEST:
        raise UserError(f"{config.data} has {len(examples)} examples; probes need {FEWEST}")
    for layer in config.layer:
        if not 0 <= layer < reasoner.backbone.n_layers:
            last = reasoner.backbone.n_layers - 1
            raise UserError(f"--layer {layer}: {reasoner.name} has layers 0 to {last}")
    prompt = reasoner.prompter.batch([examples[0]], reasoner.plan)
    if reasoner.plan.has_vision:
        fewest, example = fewest_patches(reasoner, examples)
        check_patches(reasoner.plan, [example], torch.tensor([fewest]), prompt.given_picks)


def rows_of(config: ProbeConfig, reasoner: "Reasoner", examples: "Examples") -> "pd.DataFrame":
    """Run every reading of one model that takes latent steps.

    Returns:
        Rows `model, data, example, domain, kind, place, step, layer, target` and

        - of kind `probe`: `label`, `correct`, and with shuffled labels the same for each shuffle
          (`control_1`, ...) and the share of those that are right, `control`
          (`measures.probes.probe_grid`);
        - `left alone` and `latent-only`: whether the model's own `answer` and its
          `likeliest option` are `correct`, untouched and with its latents as all that the answer
          sees; of the latter the `control` has empty slots;
        - `similarity` and `rank`: a `value` whose mean is the estimate (`measures.similarity`);
          of a rank there is one for each block of examples.
    """
    import pandas as pd

    from latentlab.instruments.probe.probing import collect, labels_of
    from latentlab.measures.probes import probe_grid
    from latentlab.measures.similarity import all_rank_values, similarity_values

    asked = [examples[i] for i in range(len(examples))]
    collected = collect(reasoner, asked, config.layer or None, config.batch_size, config.seed)
    labels, _ = labels_of(asked)
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


def summary_of(rows: "pd.DataFrame", seed: int) -> "pd.DataFrame":
    """The lines of all readings (`measures.probe_lines`, `measures.similarity`).

    `value` is the accuracy of a probe or an answer, the gap, the cosine or the rank; `control` is
    its matched control where it has one.
    """
    import pandas as pd

    from latentlab.measures.probe_lines import answer_lines, gap_lines, probe_lines
    from latentlab.measures.similarity import value_lines

    probes = rows[rows["kind"] == "probe"]
    parts = []
    if len(probes):
        parts.append(probe_lines(probes, seed))
        parts.append(pd.DataFrame(gap_lines(parts[0], probes, seed)))
    parts.append(answer_lines(rows[rows["kind"].isin(["left alone", "latent-only"])], seed))
    parts.append(value_lines(rows[rows["kind"].isin(["similarity", "rank"])], seed))
    whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return whole.astype({"step": "Int64", "layer": "Int64"})


def main(config: ProbeConfig) -> None:
    """Run the study and say what it found."""
    import pandas as pd

    from latentlab.console import note, show
    from latentlab.instruments.probe.findings import conclusion, show_tables
    from latentlab.instruments.probe.probing import labels_of
    from latentlab.studies import run_study

    asked: dict[str, bool] = {}

    def check(reasoner: "Reasoner", examples: "Examples") -> None:
        asked[reasoner.name] = reasoner.plan.steps > 0
        if asked[reasoner.name]:
            check_probe(config, reasoner, examples)
        else:
            message = f"{reasoner.name} takes no latent steps, so there is nothing to probe"
            if len(config.model) == 1:
                raise UserError(message)
            note(f"{message}; passed over")
        if len(asked) == len(config.model):
            if not any(asked.values()):
                raise UserError("none of the models takes latent steps")
            labels, traced = labels_of(examples)
            if not traced:
                named = ", ".join(labels) or "nothing, since no label comes back often enough"
                note(f"{config.data} has no traces of what each hop is about; probed: {named}")

    def run_model(reasoner: "Reasoner", examples: "Examples") -> "pd.DataFrame":
        return rows_of(config, reasoner, examples) if asked[reasoner.name] else pd.DataFrame()

    results, out = run_study(config, "probe", run_model, check, summary_of)
    show_tables(results.summary)
    for sentence in conclusion(results.summary):
        show(sentence)
    show(
        "Probes are linear and cross-validated, and shuffled labels are the mean of "
        f"{config.shuffles} shuffles. What probes can read a model need not use."
    )
    show(f"Rows, summary and settings are in {out}.")


def _answers(
    config: ProbeConfig, reasoner: "Reasoner", examples: "Sequence[Example]"
) -> "pd.DataFrame":
    """The model's own answers, untouched and from its latents alone."""
    import pandas as pd

    from latentlab.reasoning.interventions import Replace
    from latentlab.reasoning.sources import Placeholder
    from latentlab.study import Arm, run_arms

    plan = reasoner.plan
    alone = plan.replace(blocked=(*plan.blocked, ("answer", "image"), ("answer", "prompt")))
    empty = (Replace("both", Placeholder()),)
    arms = [Arm(), Arm("alone", plan=alone)]
    if reasoner.placeholder_id is not None:
        arms.append(Arm("empty", plan=alone, interventions=empty))
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


if __name__ == "__main__":
    sys.exit(run(ProbeConfig, main, "probe"))
