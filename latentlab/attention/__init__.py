"""Attention: where does each step look, and how much does the answer look back?"""
