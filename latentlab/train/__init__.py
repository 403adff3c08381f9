"""The command that trains a latent reasoner."""
