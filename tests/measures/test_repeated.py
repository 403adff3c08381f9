import numpy as np

from latentlab.measures.changes import change_interval
from latentlab.measures.repeated import drawn_interval, over_draws
from latentlab.measures.statistics import accuracy_interval, bootstrap_interval


def test_an_interval_over_draws_covers_the_truth_at_least_as_often_as_it_says():
    """Examples differ, draws differ, and so does each draw in each example."""
    rng = np.random.default_rng(0)
    covered = alone = 0
    for _ in range(400):
        examples, draws = rng.normal(0, 1, 60), rng.normal(0, 0.3, (5, 1))
        values = 2 + examples + draws + rng.normal(0, 1, (5, 60))
        interval = over_draws(values, n_resamples=300)
        covered += interval.low <= 2 <= interval.high
        narrow = bootstrap_interval(values.mean(axis=0), n_resamples=300)
        alone += narrow.low <= 2 <= narrow.high
    # What a bootstrap over examples alone would have said is wrong.
    assert covered >= 0.94 * 400 and alone < 0.9 * 400


def test_one_draw_or_draws_that_agree_add_nothing():
    values = np.random.default_rng(0).integers(0, 2, 50)
    for drawn in (values, values[None], np.tile(values, (4, 1))):
        assert over_draws(drawn, changes=False) == accuracy_interval(values)
        assert over_draws(drawn) == change_interval(values)
    # No interval of fractions leaves the range from 0 to 1.
    apart = over_draws(np.array([[0, 0, 0], [1, 1, 1]]), changes=False)
    assert (apart.mean, apart.low, apart.high) == (0.5, 0, 1)


def test_draws_that_agree_are_counted_and_others_resampled():
    agreed, mixed = np.zeros(80), np.r_[np.zeros(70), np.full(10, -0.5)]
    assert drawn_interval(agreed) == change_interval(agreed)
    assert drawn_interval(agreed, changes=False) == accuracy_interval(agreed)
    assert drawn_interval(mixed, seed=3) == bootstrap_interval(mixed, seed=3)
    # Shuffles of which no answer is right say no more than one of them that it is never right.
    never = over_draws(np.zeros((5, 80)), changes=False)
    assert (never.low, never.high) == (0, accuracy_interval(agreed).high)
