"""Tables (LaTeX, Markdown, HTML, CSV), figures (PDF, PNG), LaTeX and TikZ of witnesses, and the HTML page. No mathematics.

Names are imported when first used; `__init__.pyi` lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
