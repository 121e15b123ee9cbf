from . import strategies

__all__ = ["strategies"]
