"""What is computed from rollouts and rows: scores, attention, similarity, probes, statistics."""
