"""The arms of an ablation study, which of them fit a model, and what they found."""
