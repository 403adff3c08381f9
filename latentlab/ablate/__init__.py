"""Ablation: what is lost without the latents?"""
