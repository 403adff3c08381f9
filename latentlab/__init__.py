"""LatentLab: train, run and measure vision-language models that reason in latent space."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentlab.checkpoint import load as load
    from latentlab.reasoner import Reasoner as Reasoner

__version__ = "0.1.0"
__all__ = ["Reasoner", "__version__", "load"]


def __getattr__(name: str) -> object:
    """Import the heavy parts when they are first used, so that `--help` does not wait for them."""
    if name == "load":
        from latentlab.checkpoint import load

        return load
    if name == "Reasoner":
        from latentlab.reasoner import Reasoner

        return Reasoner
    raise AttributeError(f"module 'latentlab' has no attribute {name!r}")
