"""The laboratory for policy-improvement theory: finite MDPs solved exactly, and the bounds behind TRPO put to the test.

>>> import trpo_theory as tt
>>> mdp = tt.load("gym:FrozenLake-v1", gamma=0.99)
>>> q = tt.compare(mdp, "uniform", "optimal")
>>> round(float(q.expected_return_new), 6)
0.542026

Names are imported when first used, so that `import trpo_theory` costs nothing; `__init__.pyi` lists them.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
