"""Pairs of runs, patches and knock-outs between them, and what they recover."""
