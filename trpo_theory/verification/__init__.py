"""Verdicts on claims: `verify`, `falsify`, and large runs in tasks with seeds of their own, with the directory they leave."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
