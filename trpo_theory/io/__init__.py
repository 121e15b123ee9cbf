# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# lazy_loader has no stubs; `__init__.pyi` has the types.
"""Readers and writers: MDPs and policies from files, and from the libraries that already hold them.

Every reader ends in a validated `FiniteMDP` or in one `InvalidInput` that names the file, the line or the entry.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
