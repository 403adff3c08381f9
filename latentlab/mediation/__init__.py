"""Causal mediation: how much of what the input does runs through the latents?"""
