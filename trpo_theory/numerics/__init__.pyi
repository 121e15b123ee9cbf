from . import divergence, floats, polylog, resolvent

__all__ = ["divergence", "floats", "polylog", "resolvent"]
