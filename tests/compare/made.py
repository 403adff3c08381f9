"""Made-up rows of several ways, whose truth is known."""

import numpy as np
import pandas as pd

N = 200


def row(way, i, correct, steps, hops=4):
    return {
        "model": way,
        "method": "own",
        "way": way,
        "data": "benchmark",
        "example": f"e{i}",
        "domain": ("letters", "digits")[i % 2],
        "topic": "",
        "hops": hops,
        "cluster": [],
        "intervention": "none",
        "kind": "none",
        "options": 4,
        "correct": bool(correct),
        "correct_likelihood": bool(correct),
        "correct_lenient": pd.NA,
        "autoregressive_steps": steps,
        "latent_steps": 3,
        "new_tokens": steps - 3,
        "forward_tokens": 30,
        "pictures": 1,
        "calls": 1,
        "format_failures": 0,
        "seconds": 0.1,
    }


def rows_of(ways, n=N, hops=(1, 4)):
    """Rows of some ways.

    Args:
        ways: by name: share of right answers, steps an answer, seconds an answer.
        n: questions.
        hops: of which kinds they are.
    """
    made = []
    for way, (share, steps, seconds) in ways.items():
        draws = np.random.default_rng(len(way)).permutation(n)
        times = [seconds * factor for factor in (1.0, 1.02, 0.99, 1.01, 1.0)]
        for i in range(n):
            one = row(way, i, draws[i] < share * n, steps, hops[i // 2 % len(hops)])
            made.append(one | {"times": times})
    return pd.DataFrame(made).astype({"hops": "Int64", "correct_lenient": "boolean"})
