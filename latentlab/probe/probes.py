"""Linear probes: what can be read off an activation, and what could be read off anything.

A probe that is right proves little by itself: it may know the domain, or have learnt the labels by
heart. So each reads the same examples again with shuffled labels (the control task of Hewitt and
Liang, 2019), several times, since one shuffle may be lucky; and the object of a hop is only said to
be held at a step if it is read better than that of every other hop. One factorisation of the
features serves all labels and all their shuffles, and one-hot labels are sparse: a grid of some
hundred cells is a matter of seconds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from latentlab.processes.group import divided

FOLDS = 5
"""Parts of the examples, each predicted by probes that were fitted on the others."""

PENALTY = 0.1
"""Ridge penalty for each standardised feature; it is the same for every probe."""

SHUFFLES = 5
"""How often labels are shuffled, unless told otherwise."""

INPUT = -1
"""The layer of what is fed in, before any layer."""

Codes = Int[np.ndarray, "examples targets"]


class ProbeSite(NamedTuple):
    """Where an activation was taken."""

    place: str
    """`latent_text` and `latent_vision` (what a step is fed; of the patches their mean), `slot`
    (the residual stream at a step's last slot), `prompt` and `answer` (at the last positions of the
    prompt and of the answer marker), or `question` (counts of its words, no activation)."""

    step: int
    """Latent step from 1; 0 in the prompt, one more than the last step at the answer marker."""

    layer: int
    """Decoder layer from 0, or `INPUT`."""


def cross_validated(
    features: Float[np.ndarray, "examples hidden"], codes: Codes, seed: int = 0
) -> Codes:
    """Predict each example's labels by probes that never saw it.

    Ridge regression onto one-hot labels, features standardised on the fitted part, the highest
    score wins: for each target this is scikit-learn's `RidgeClassifier`.

    Args:
        features: activations.
        codes: labels numbered from 0, one column a target.
        seed: seed of the folds.

    Returns:
        The predicted codes; every example is in the test part once.
    """
    predicted = np.empty_like(codes)
    for test, read in _folds(features, codes, seed):
        predicted[test] = read(features[test])
    return predicted


def read_runs(
    features: Float[np.ndarray, "examples hidden"],
    codes: Codes,
    runs: Float[np.ndarray, "runs read hidden"],
    seed: int = 0,
) -> Int[np.ndarray, "runs read targets"]:
    """Read the first examples in other runs, by the same probes that never saw these examples.

    Args:
        features: activations of the run that probes are fitted on.
        codes: labels numbered from 0, one column a target.
        runs: activations of the first examples in each of several other runs.
        seed: seed of the folds.

    Returns:
        What `cross_validated` predicts, had the examples these activations.
    """
    count = runs.shape[1]
    predicted = np.empty((*runs.shape[:2], codes.shape[1]), codes.dtype)
    for test, read in _folds(features, codes, seed):
        test = test[test < count]
        for run, values in zip(predicted, runs, strict=True):
            if len(test):
                run[test] = read(values[test])
    return predicted


def _folds(
    features: Float[np.ndarray, "examples hidden"], codes: Codes, seed: int
) -> Iterator[tuple[Int[np.ndarray, " test"], Callable[[np.ndarray], Codes]]]:
    """The examples of each fold, and how probes that were fitted on the others read activations."""
    ends = np.cumsum(codes.max(axis=0) + 1)
    columns = codes + ends - codes.max(axis=0) - 1
    starts = np.arange(len(codes) + 1) * codes.shape[1]
    ones = np.ones(columns.size, np.float32)
    one_hot = csr_array((ones, columns.ravel(), starts), shape=(len(codes), int(ends[-1])))
    for fitted, test in KFold(FOLDS, shuffle=True, random_state=seed).split(codes):
        scaler = StandardScaler().fit(features[fitted])
        inputs, labels = scaler.transform(features[fitted]), one_hot[fitted]
        # Inputs are centred, so the intercept is the mean label, whatever the weights.
        gram = np.asarray(inputs.T @ inputs, np.float64)
        gram[np.diag_indices_from(gram)] += PENALTY * features.shape[1]
        products = (labels.T @ inputs).T
        weights = cho_solve(cho_factor(gram), products).astype(inputs.dtype)
        mean = labels.mean(axis=0)

        def read(
            values: np.ndarray,
            scaler: StandardScaler = scaler,
            weights: np.ndarray = weights,
            mean: np.ndarray = mean,
        ) -> Codes:
            scores = scaler.transform(values) @ weights + mean
            blocks = np.split(scores, ends[:-1], axis=1)
            return np.stack([block.argmax(axis=1) for block in blocks], axis=1)

        yield test, read


def shuffled(codes: Int[np.ndarray, " n"], groups: Sequence[str], seed: int) -> Codes:
    """Deal the labels out anew among the examples of each group.

    What the group alone tells about a label, the shuffled labels still tell, so that a probe does
    not look good for knowing the domain.
    """
    rng = np.random.default_rng(seed)
    dealt = codes.copy()
    names = np.asarray(groups)
    for group in np.unique(names):
        (members,) = np.nonzero(names == group)
        dealt[members] = codes[rng.permutation(members)]
    return dealt


def probe_grid(
    features: Mapping[ProbeSite, Float[np.ndarray, "examples hidden"]],
    labels: Mapping[str, Sequence[str]],
    domains: Sequence[str],
    seed: int = 0,
    shuffles: int = SHUFFLES,
) -> pd.DataFrame:
    """Probe every label at every place, on the same examples throughout.

    Args:
        features: activations by place, step and layer.
        labels: for each target, the label of every example.
        domains: the domain of every example; labels are shuffled within it, except the domain's
            own, which are shuffled over all.
        seed: seed of folds and shuffling.
        shuffles: how often labels are shuffled.

    Returns:
        Rows `place, step, layer, target, index` (of the example), its `label`, whether the probe
        was right (`correct`), whether its twins were that were fitted on shuffled labels and are
        asked for them (`control_1` to that of the last shuffle), and in which share of the shuffles
        they were (`control`).
    """
    true = {name: pd.factorize(np.asarray(values, object))[0] for name, values in labels.items()}
    everyone = [""] * len(domains)
    dealt = [
        shuffled(of, everyone if name == "domain" else domains, seed + number + len(true) * shuffle)
        for shuffle in range(shuffles)
        for number, (name, of) in enumerate(true.items())
    ]
    codes = np.stack([*true.values(), *dealt], axis=1)
    n, targets = len(codes), list(labels)

    def of_spot(spot: ProbeSite) -> pd.DataFrame:
        place, step, layer = spot
        right = (cross_validated(features[spot], codes, seed) == codes).T
        controls = right[len(targets) :].reshape(shuffles, -1)
        return pd.DataFrame(
            {
                "place": place,
                "step": step,
                "layer": layer,
                "target": pd.Categorical(np.repeat(targets, n), targets),
                "index": np.tile(np.arange(n), len(targets)),
                "label": np.concatenate([np.asarray(labels[name], object) for name in targets]),
                "correct": right[: len(targets)].ravel(),
                "control": controls.mean(axis=0, dtype=np.float32),
                **{f"control_{i + 1}": control for i, control in enumerate(controls)},
            }
        )

    return pd.concat(divided(features, of_spot, "probes", len(features)), ignore_index=True)
