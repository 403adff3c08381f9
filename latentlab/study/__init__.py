"""Studies: arms, the one runner, and the results that it leaves."""
