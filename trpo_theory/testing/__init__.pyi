from . import strategies
from .targeting import targeted

__all__ = ["strategies", "targeted"]
