"""Runs with the prompt of one input and the latents of another, and what follows from them."""
