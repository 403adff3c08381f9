"""Interchange interventions: whose answer is given on the latents of another question?"""
