"""What can be read off latents: tokens by the logit lens, objects by linear probes.

Probes are fitted on runs left alone, of other questions than the one that is read; altered runs are
read by the same probes. So a cross beside an exchanged latent says that the model would read
something else there, and not that the probe has never seen such a run of this question.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from latentlab.data import Example
from latentlab.probe.features import labels_of
from latentlab.probe.probes import FOLDS, read_runs
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.trace.runs import Runs


def lens_columns(
    reasoner: Reasoner, runs: Runs, examples: Sequence[str], tokens: int
) -> list[pd.DataFrame]:
    """The first tokens that the logit lens reads off the latent text of every step.

    Latent text went through the final norm already, so its unembedding is the lens.

    Args:
        reasoner: the model.
        runs: its steps.
        examples: identifiers of the examples, in order.
        tokens: number of tokens to keep.

    Returns:
        One frame an arm and step with `example, intervention, step, lens_tokens, lens_probs`.
    """
    decode = reasoner.prompter.tokenizer.decode
    frames = []
    for (arm, step), text in runs.text.items():
        found = pd.DataFrame({"example": list(examples), "intervention": arm, "step": step})
        texts: list[list[str] | None] = [None] * len(found)
        shares: list[list[float] | None] = [None] * len(found)
        if text is not None:
            logits: Tensor = reasoner.backbone.logits(text)
            top = logits.float().softmax(-1).topk(min(tokens, logits.shape[-1]))
            texts = [[str(decode([token])) for token in row] for row in top.indices.tolist()]
            shares = top.values.tolist()
        frames.append(found.assign(lens_tokens=pd.Series(texts), lens_probs=pd.Series(shares)))
    return frames


def probe_columns(
    bank: Bank, known: Sequence[Example], runs: Runs, asked: int, seed: int
) -> list[pd.DataFrame]:
    """What linear probes read off the latents of every step of every arm.

    The target is the object of the step's own hop, fitted on and read of questions that go so far;
    without traces it is the answer, where answers come back often enough.

    Args:
        bank: latents of runs left alone.
        known: the examples that they are of; the recorded ones come first.
        runs: the steps of the recorded ones in every arm.
        asked: how many are recorded.
        seed: seed of the folds.

    Returns:
        One frame an arm and step with `example, intervention, step`, `probe_place`, `probe_target`,
        the `probe_label` that is read, whether that is right in `probe_correct`, and over how many
        examples probes were fitted and tested in `probe_n`; none where there is nothing to read.
    """
    labels, traced = labels_of(known)
    frames = []
    steps = sorted({step for _, step in runs.text})
    for step in steps:
        target = next((name for name in (f"object {step}", "answer") if name in labels), None)
        if target is None:
            continue
        reach = [not traced or (example.hops or 0) >= step for example in known]
        (kept,) = np.nonzero(np.array(reach))
        read = kept[kept < asked]
        place, features = _fitted_on(bank, step)
        if features is None or len(kept) < FOLDS or not len(read):
            continue
        vectors = runs.text if place == "latent_text" else runs.vision
        found = {arm: v for (arm, at), v in vectors.items() if at == step and v is not None}
        values = np.asarray(labels[target], object)[kept]
        codes, names = pd.factorize(values)
        stacked = np.stack([v[list(read)].float().cpu().numpy() for v in found.values()])
        told = read_runs(features[kept], codes[:, None], stacked, seed)[..., 0]
        frames += [
            pd.DataFrame(
                {
                    "example": [known[i].id for i in read],
                    "intervention": arm,
                    "step": step,
                    "probe_place": place,
                    "probe_target": target,
                    "probe_label": np.asarray(names, object)[labelled],
                    "probe_correct": labelled == codes[: len(read)],
                    "probe_n": len(kept),
                }
            )
            for arm, labelled in zip(found, told, strict=True)
        ]
    return frames


def _fitted_on(bank: Bank, step: int) -> tuple[str, np.ndarray | None]:
    """What probes of a step are fitted on, and which part that is: text where there is any."""
    if bank.text is not None:
        return "latent_text", bank.text[:, step - 1].float().cpu().numpy()
    if bank.vision is not None:
        return "latent_vision", bank.vision[:, step - 1].mean(1).float().cpu().numpy()
    return "", None
