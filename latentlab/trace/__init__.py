"""Traces: single answers, step by step."""
