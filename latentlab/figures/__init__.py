"""Tables and figures of the paper, from results on disk."""
