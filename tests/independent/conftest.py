"""Models run by hand, the same models as users load them, and commands run on twenty questions."""

from functools import lru_cache

import numpy as np
import pytest
import tyro

from latentlab.checkpoint import load
from latentlab.commands import COMMANDS, start
from latentlab.data import load_data
from latentlab.study.instrument import Subject, instrument
from latentlab.study.results import read_results
from tests.independent.rollout import Plain

N = 20
ALWAYS = ("--device", "cpu", "--batch-size", "16")
"""Flags of every run: batches that do not divide the questions, so that one is smaller."""

NATS = 1e-3
"""Tolerance of log-likelihoods, logits and their differences, in nats.

It is set by rounding: the engine computes in float32, the plain rollout in float64. Run by hand in
both precisions, models left alone differ by up to 5e-5 and those with empty slots, which a norm
scales up, by up to 5e-4. Effects that are worth telling are a hundred times larger."""


@pytest.fixture(scope="session")
def nats():
    return NATS


@pytest.fixture(scope="session")
def plain():
    """A model run by hand, by name."""
    return lru_cache(Plain)


@pytest.fixture(scope="session")
def asked():
    """The first questions of some data, as commands take them."""
    return lru_cache(lambda data="benchmark": [*load_data(data, limit=N)])


@pytest.fixture(scope="session")
def untouched(plain, asked):
    """Rollouts by hand with nothing done to them, by model and data."""

    @lru_cache
    def runs(name, data="benchmark"):
        return [plain(name).rollout(example) for example in asked(data)]

    return runs


@pytest.fixture(scope="session")
def rows_of(asked):
    """Rows that an instrument makes of one model, flags as on the command line.

    `references` are what it is given beside the questions; `narrow` may leave out some of what it
    prepared.
    """

    def rows(name, model, *flags, data="benchmark", references=(), narrow=None):
        told = (*flags, "--model", model, *ALWAYS, "--data", data)
        config, found = tyro.cli(COMMANDS[name].config, args=told), instrument(name)
        subject = Subject(load(model, "cpu"), asked(data), references)
        prepared = found.prepare(config, subject)
        return found.rows(config, subject, narrow(prepared) if narrow else prepared)

    return rows


@pytest.fixture(scope="session")
def results_of(tmp_path_factory):
    """Runs a whole command; returns the rows and the summary that it wrote."""

    def results(name, model, *flags, data="benchmark"):
        out = tmp_path_factory.mktemp(name) / "out"
        told = (
            *flags,
            "--model",
            model,
            "--data",
            data,
            *ALWAYS,
            "--limit",
            str(N),
            "--out",
            str(out),
        )
        assert start(name, told) == 0
        found = read_results(out)
        return found.rows, found.summary

    return results


@pytest.fixture(scope="session")
def summary_of():
    """The summary that an instrument makes of rows."""
    return lambda name, rows: instrument(name).summary(rows, 0)


@pytest.fixture(scope="session")
def log_odds():
    """log p / (1 - p) of one option, p being the softmax of log-likelihoods over the options."""

    def odds(logprobs, option):
        p = np.exp(np.asarray(logprobs) - np.logaddexp.reduce(logprobs))
        return float(np.log(p[option]) - np.log(np.delete(p, option).sum()))

    return odds
