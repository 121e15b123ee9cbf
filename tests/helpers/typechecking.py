"""beartype as the tests use it: an int will do for a float (PEP 484's numeric tower), and a NumPy scalar for an array.

NumPy itself returns scalars where a result has no axes, whatever the arguments were.
"""

import numpy as np
from beartype import BeartypeConf, FrozenDict, beartype

check = beartype(
    conf=BeartypeConf(is_pep484_tower=True, hint_overrides=FrozenDict({np.ndarray: np.ndarray | np.generic}))
)
