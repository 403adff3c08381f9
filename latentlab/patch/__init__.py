"""Activation patching and attention knock-out: where is the answer carried?"""
