# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# lazy_loader has no stubs; `__init__.pyi` has the types.
"""The update problems (11), (12), (13) and their siblings, solved with certificates."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
