"""Donors of latents, and exchanging their latents for a recipient's."""
