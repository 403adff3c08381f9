"""Collecting what latents hold, and saying what was found."""
