"""Calibration: are instruments right where the truth is known?"""
