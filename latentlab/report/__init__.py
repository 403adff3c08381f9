"""The report: findings, figures and single answers on one page."""
