"""Altered runs are read by the probes that read the runs left alone."""

import numpy as np

from latentlab.probe.probes import cross_validated, read_runs


def test_the_same_activations_read_the_same_and_others_by_probes_that_never_saw_the_example():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (40, 1))
    features = (np.eye(3)[codes[:, 0]] + 0.1 * rng.normal(size=(40, 3))).astype(np.float32)
    whole = cross_validated(features, codes)
    # An altered run that holds what another label's examples hold is read as that label.
    moved = np.roll(np.eye(3, dtype=np.float32), 1, axis=1)[codes[:12, 0]]
    read = read_runs(features, codes, np.stack([features[:12], moved]))
    np.testing.assert_array_equal(read[0], whole[:12])
    np.testing.assert_array_equal(read[1], (codes[:12] + 1) % 3)
    # What an example's own label is has no part in how it is read.
    other = codes.copy()
    other[0] = (codes[0] + 1) % 3
    assert read_runs(features, other, features[None, :1])[0, 0] == whole[0]
