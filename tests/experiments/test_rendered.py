"""What is made of no results, and that the other figures are each rendered by a test.

The folders beside this file render what is made of results, since those are made there.
"""

import pytest
from matplotlib import pyplot as plt

from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import RC
from tests.experiments import test_compared as compared
from tests.experiments import test_sharp_experiments as sharp
from tests.experiments.answers import test_all as answers
from tests.experiments.instruments import test_figures as instruments
from tests.experiments.instruments import test_which_words as words
from tests.legible import unreadable

ALL = {experiment.name: experiment for experiment in find_experiments(EXPERIMENTS)}
ALONE = [name for name, experiment in ALL.items() if not experiment.studies]


@pytest.mark.parametrize("name", ALONE)
def test_what_needs_no_results_can_be_read_as_it_is_printed(name):
    with plt.rc_context(RC):
        assert unreadable(ALL[name].make({})) == []
    plt.close("all")


def test_every_figure_and_table_is_looked_at():
    rendered = {
        *ALONE,
        *sharp.NAMES,
        *compared.NAMES,
        *answers.NAMES,
        *instruments.NAMES,
        *words.NAMES,
    }
    assert rendered == set(ALL)
