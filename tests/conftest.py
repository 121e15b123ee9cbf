"""Shared set-up: run-time checks of the annotated shapes, and two Hypothesis profiles, `ci` (the default) and `deep`.

pytest --hypothesis-profile=deep
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

# Before anything imports the package: from here on every annotated shape is checked by beartype.
install_import_hook("trpo_theory", "typechecking.check")

_SLOW_IS_FINE = [HealthCheck.too_slow]
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, database=None, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile("deep", deadline=None, max_examples=2000, suppress_health_check=_SLOW_IS_FINE)
settings.load_profile("ci")  # the option --hypothesis-profile is read after this file, and wins
