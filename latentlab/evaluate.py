"""Evaluate models as they are: how often are they right, and at what cost?

    python -m latentlab.evaluate --model cot ivtlr --data benchmark:hops=1+4
    python -m latentlab.evaluate --model ivtlr --no-image

Models write freely, as they were trained to. With --no-image the same questions are asked once more
without their picture: what is still right then was never seen.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.command import CommonConfig, run
from latentlab.errors import UserError
from latentlab.vocabulary import CONTROL

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.data import Example, Examples
    from latentlab.reasoner import Reasoner

BLIND = "no image"
"""Name of the arm whose questions come without their picture."""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(CommonConfig):
    """Flags of `python -m latentlab.evaluate`."""

    no_image: bool = False
    """Ask all questions without their picture as well; latent steps then re-insert nothing."""

    max_new_tokens: int = 64
    """Tokens of an answer at most, the written rationale among them."""

    def __post_init__(self) -> None:
        """Refuse answers without room."""
        super().__post_init__()
        if self.max_new_tokens < 1:
            raise UserError(f"--max-new-tokens {self.max_new_tokens} is too small: at least 1")


def blind(reasoner: "Reasoner") -> "Reasoner":
    """The same model for questions without a picture: it re-inserts no patches.

    Positions stay as they are (`LatentPlan.stride`). A model whose latent steps are nothing but
    patches takes none.
    """
    from latentlab.console import note
    from latentlab.reasoner import Reasoner

    plan = reasoner.plan
    if plan.steps and plan.has_vision:
        stride = plan.stride or plan.k + int(plan.text)
        steps = plan.steps if plan.text else 0
        # Given picks would be looked up in a trace, attention has nothing to look at.
        plan = plan.replace(k=0, select="random", stride=stride, steps=steps)
        left = "latent text only (k=0)" if steps else "no latent steps"
        note(f"{reasoner.name} takes {left} on questions without a picture")
    return Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, reasoner.name
    )


def evaluate(config: EvaluateConfig, reasoner: "Reasoner", examples: "Examples") -> "pd.DataFrame":
    """Rows of one model, with the picture and, where asked for, without."""
    import dataclasses

    import pandas as pd

    from latentlab.study import Arm, run_arms

    def ask(model: "Reasoner", questions: "Sequence[Example]", arm: Arm) -> pd.DataFrame:
        size, seed, longest = config.batch_size, config.seed, config.max_new_tokens
        # The first answer pays for what is set up but once, and its time is no answer's time.
        run_arms(model, [questions[0]], [arm], config.data, 1, seed, 1)
        return run_arms(model, questions, [arm], config.data, size, seed, longest)

    rows = [ask(reasoner, examples, Arm())]
    if config.no_image:
        unseen = [dataclasses.replace(example, image=None) for example in examples]
        rows.append(ask(blind(reasoner), unseen, Arm(BLIND, CONTROL)))
    return pd.concat(rows, ignore_index=True)


def conclusion(summary: "pd.DataFrame", rows: "pd.DataFrame") -> list[str]:
    """What was found about each model, in one paragraph each."""
    from latentlab.console import interval_text
    from latentlab.measures.summary import ALL

    def percent(line: "pd.Series[float]", name: str) -> str:
        text = interval_text(line[name], line[f"{name}_low"], line[f"{name}_high"])
        return text.replace(" ", " % ", 1)

    found: dict[str, list[str]] = {}
    total = summary[(summary[["domain", "topic", "hops"]] == ALL).all(axis=1)]
    for _, line in total.iterrows():
        model = str(line["model"])
        other = f"{percent(line, 'likelihood')} by the likelihood of the options"
        if line["lenient"] == line["lenient"]:
            other += f", {percent(line, 'lenient')} by the published lenient match"
        if line["intervention"] == BLIND:
            guessing = 100 * float((1 / rows["options"]).mean())
            head = f"Without the picture it answers {percent(line, 'accuracy')}"
            tail = f"guessing among the options gives {guessing:.1f} %"
        else:
            head = f"{model} answers {percent(line, 'accuracy')} of {line['n']} questions"
            tail = (
                f"an answer takes {line['autoregressive_steps']:.1f} autoregressive steps and "
                f"{1000 * line['seconds']:.1f} ms"
            )
        found.setdefault(model, []).append(f"{head} ({other}); {tail}.")
    return [" ".join(sentences) for sentences in found.values()]


def main(config: EvaluateConfig) -> None:
    """Run the evaluation and say what it found."""
    from latentlab.console import show, table
    from latentlab.measures.answers import summarise_answers
    from latentlab.measures.summary import ALL
    from latentlab.studies import run_study

    results, out = run_study(
        config,
        "evaluate",
        lambda reasoner, examples: evaluate(config, reasoner, examples),
        summary_of=summarise_answers,
    )
    columns = {
        "intervention": "picture",
        "domain": "domain",
        "hops": "hops",
        "n": "n",
        "accuracy": "strict %",
        "likelihood": "by likelihood %",
        "lenient": "lenient % (published)",
        "autoregressive_steps": "autoregressive steps",
        "seconds": "s an answer",
    }
    # Topics and the crossing of domains with hops are in the summary.
    fine = (results.summary[["domain", "topic", "hops"]] != ALL).sum(axis=1)
    shown = results.summary[(fine <= 1) & (results.summary["topic"] == ALL)]
    if shown["lenient"].isna().all():
        del columns["lenient"]
    for model, lines in shown.groupby("model", sort=False):
        named = lines.replace({"intervention": {"none": "shown", BLIND: "not shown"}})
        title = f"{model} on {config.data}; 95 % intervals"
        table(named, columns, title, percent=("accuracy", "likelihood", "lenient"))
    for sentence in conclusion(results.summary, results.rows):
        show(sentence)
    show(f"Rows, summary and settings are in {out}.")


if __name__ == "__main__":
    sys.exit(run(EvaluateConfig, main, "evaluate"))
