r"""
Runs of T steps
===============

For the undiscounted return of :math:`T` steps, with :math:`\alpha` the largest total-variation distance of a state
and a step,

.. math:: L-\eta(\tilde\pi)\le4\epsilon\sum_{t<T}\alpha\bigl(1-(1-\alpha)^t\bigr)

(the claim ``horizon/coupling``). The simpler :math:`2\epsilon\alpha^2T(T-1)` (``horizon/tv``) is larger by far for
long runs. The worst process attains the first.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

alpha, steps = 0.1, (2, 5, 10, 20, 50)
computed = [tt.sharp_gap("max-tv", 1, alpha, horizon=T).lower for T in steps]
claimed = [4 * sum(alpha * (1 - (1 - alpha) ** t) for t in range(T)) for T in steps]
simple = [2 * alpha**2 * T * (T - 1) for T in steps]

for T, gap, bound, other in zip(steps, computed, claimed, simple, strict=True):
    print(f"T = {T:3}: computed {gap:.5f}, claimed {bound:.5f}; the simple bound {other:.5f}")
print("attained")
assert np.allclose(computed, claimed, rtol=1e-6, atol=0)

# %%

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.loglog(steps, claimed, label="claimed: horizon/coupling")
axes.loglog(steps, computed, "o", markersize=4, label="computed: the worst process")
axes.loglog(steps, simple, "--", label="claimed: horizon/tv")
axes.set_xticks(steps, [str(step) for step in steps])
axes.minorticks_off()
axes.set(xlabel="steps", ylabel=r"$(L-\eta)/\epsilon$")
axes.legend()
plt.show()
