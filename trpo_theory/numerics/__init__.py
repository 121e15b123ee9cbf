"""Number systems side by side, and what they compute with: floats, derivatives, divergences, the resolvent; balls in `ball/`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
