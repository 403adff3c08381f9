"""Glyphs: splits share no handwriting, and jitter never cuts into a drawing."""

import numpy as np
import pytest

from latentlab.data.glyphs import SPLITS, handwriting
from latentlab.data.sprites import CELL, DOMAINS, MARGIN, sheet

SHEETS = [(domain, topic) for domain in DOMAINS for topic in DOMAINS[domain].topics]


def test_no_scan_of_a_digit_is_in_two_splits():
    scans = [scan.tobytes() for split in SPLITS for kind in handwriting(split) for scan in kind]
    assert len(set(scans)) == len(scans)


def test_most_scans_are_for_training():
    counts = {split: handwriting(split).shape[:2] for split in SPLITS}
    assert counts == {"train": (10, 139), "validation": (10, 18), "test": (10, 17)}


@pytest.mark.parametrize(("domain", "topic"), SHEETS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_tiles_hold_ink_that_jitter_cannot_cut(domain, topic, split):
    tiles = sheet(domain, topic, split)
    side = CELL + 2 * MARGIN
    for part in (tiles.glyphs, tiles.marks):
        assert part.shape[0] == len(DOMAINS[domain].kinds)
        assert part.shape[2:] == (side, side)
        assert (part.max(axis=(2, 3)) > 200).all()
        ink = np.flatnonzero(part.any(axis=(0, 1, 2))), np.flatnonzero(part.any(axis=(0, 1, 3)))
        assert all(axis.min() >= 2 * MARGIN and axis.max() < side - 2 * MARGIN for axis in ink)


@pytest.mark.parametrize("domain", ["relation", "letters"])
def test_topics_draw_the_same_kinds_in_another_way(domain):
    one, other = (sheet(domain, topic, "test") for topic in DOMAINS[domain].topics)
    assert (one.glyphs != other.glyphs).any(axis=(2, 3)).all()


def test_marks_are_filled_whatever_the_topic():
    filled, outlined = (sheet("relation", topic, "test") for topic in ("filled", "outlined"))
    assert (filled.marks == outlined.marks).all()


def test_digits_have_variants_for_training_only():
    scans = {split: handwriting(split).shape[1] for split in SPLITS}
    samples = {split: sheet("digits", "dark", split).glyphs.shape[1] for split in SPLITS}
    assert samples == {**scans, "train": 6 * scans["train"]}
