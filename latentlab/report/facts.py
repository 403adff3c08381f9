"""What was run on what, in words: the record of a run as a person reads it."""

from latentlab.study.results import Results


def facts(results: Results) -> dict[str, str]:
    """What was run on what: models, data, n, seed, versions and where it was computed."""
    run = results.run
    config, git = run["config"], run.get("git")
    revision = "no checkout"
    if git:
        revision = git["commit"][:10] + (", edited since" if git["dirty"] else "")
    hashes = run["checkpoints"].items()
    n = results.rows["example"].nunique() if "example" in results.rows else len(results.rows)
    return {
        "command": str(run["command"]),
        "models": ", ".join(f"{name} ({digest[:10]})" for name, digest in hashes),
        "data": str(config.get("data", "")),
        "questions": f"{n:,}",
        "seed": str(run["seed"]),
        "versions": ", ".join(f"{name} {number}" for name, number in run["versions"].items()),
        "revision": revision,
        "machine": f"{run['platform']['system']}, {run['platform']['cpus']} CPUs",
        "began": str(run["started"]),
        "took": f"{run['seconds']:,.0f} s",
    }
