"""Logit lens and direct logit attribution: what do latents say in the words of the model?"""
