"""Scoring: how often are replies right, by whose rule?"""
