"""LatentLab: train, run and measure vision-language models that reason in latent space."""

__version__ = "0.1.0"
