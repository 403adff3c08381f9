"""Batches that are made ahead are those that are made when they are asked for."""

import threading

import pytest
from torch.utils.data import DataLoader, SequentialSampler

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.training.ahead import Ahead
from latentlab.training.config import StageConfig
from latentlab.training.stage_data import StageData

EXAMPLES = [Example(f"e{i}", "?", ("a", "b"), "a", None) for i in range(10)]
STAGE = StageConfig("own", updates=5, batch_size=4, data="some/folder")


@pytest.fixture
def data():
    return StageData(EXAMPLES, STAGE, seed=0)


def names(items):
    return {"batch": [item.example.id for item in items]}


def expected(data, share, stride, first=0):
    starts = range(first, len(data), stride)
    return [names([data[i] for i in range(start, start + share)]) for start in starts]


def test_a_loader_gives_every_batch_in_its_order(data):
    ahead = Ahead(data, names, 4)
    batches = DataLoader(ahead, 4, sampler=SequentialSampler(ahead), collate_fn=lambda batch: batch)
    assert list(batches) == expected(data, 4, 4)
    ahead.close()


@pytest.mark.parametrize("process", [0, 1])
def test_a_process_gets_its_share_wherever_it_begins(data, process):
    ahead = Ahead(data, names, 4)
    first = 8 + 2 * process
    taken = [ahead.__getitems__([start, start + 1]) for start in range(first, 20, 4)]
    assert taken == expected(data, 2, 4, first)
    ahead.close()


def test_a_batch_that_was_not_foreseen_is_made_all_the_same(data):
    ahead = Ahead(data, names, 4)
    for rows in ([0, 1, 2, 3], [12, 13, 14, 15], [12, 13, 14, 15], [1, 5], [16, 17, 18, 19]):
        assert ahead.__getitems__(rows) == names([data[i] for i in rows])
    ahead.close()


def test_the_next_batch_is_made_before_it_is_asked_for_and_none_after_the_last(data):
    begun, made = threading.Semaphore(0), []

    def collate(items):
        made.append(names(items))
        begun.release()
        return made[-1]

    ahead = Ahead(data, collate, 4)
    ahead.__getitems__([0, 1, 2, 3])
    assert begun.acquire(timeout=60) and begun.acquire(timeout=60)
    assert made == expected(data, 4, 4)[:2]
    ahead.__getitems__([16, 17, 18, 19])
    ahead.close()
    assert made[-1] == expected(data, 4, 4)[-1] and len(made) == 3


def test_a_mistake_is_told_when_its_batch_is_asked_for(data):
    def collate(items):
        if items[0].example.id == data[4].example.id:
            raise UserError("spoilt")
        return names(items)

    ahead = Ahead(data, collate, 4)
    assert ahead.__getitems__([0, 1, 2, 3]) == expected(data, 4, 4)[0]
    with pytest.raises(UserError, match="spoilt"):
        ahead.__getitems__([4, 5, 6, 7])
    assert ahead.__getitems__([8, 9, 10, 11]) == expected(data, 4, 4)[2]
    ahead.close()


def test_waiting_is_counted_from_asking_to_having(data, monkeypatch):
    clock = iter([1.0, 3.5, 10.0, 10.25])
    monkeypatch.setattr("latentlab.training.ahead.time.perf_counter", lambda: next(clock))
    ahead = Ahead(data, names, 4)
    ahead.__getitems__([0, 1, 2, 3])
    ahead.__getitems__([4, 5, 6, 7])
    ahead.close()
    assert ahead.waited == 2.75
