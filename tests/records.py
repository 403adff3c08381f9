"""The part of a `run.json` that tests of something else do not care for."""

UNTOLD = {
    "seed": 0,
    "git": None,
    "platform": {"system": "any", "cpus": 1},
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 1.0,
}
