"""Probes: what do latents hold?"""
