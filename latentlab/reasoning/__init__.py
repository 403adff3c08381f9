"""Reasoning in latent space: the plan, the rollout that follows it, and what may be done to it."""
