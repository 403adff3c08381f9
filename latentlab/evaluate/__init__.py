"""Evaluation: how often are models right, and at what cost?"""
