r"""
Constrained policy optimisation
===============================

In place of the largest distance the mean over the states that the old policy visits is enough, with the expected
advantage :math:`\bar A(s)=\sum_a\tilde\pi(a\mid s)A_\pi(s,a)`:

.. math::
   L-\eta(\tilde\pi)\le\frac{2\gamma\max_s\lvert\bar A(s)\rvert}{(1-\gamma)^2}\sum_sd_\pi(s)\,\mathrm{TV}(\pi_s,\tilde\pi_s),

:math:`d_\pi` being the share of the visits that a state gets (Achiam et al. 2017, Corollary 1; the claim
``cpo/mean-tv``). The family ``cpo-tight`` comes as close to it as one likes, as its advantages grow; half of the
constant (``cpo/mean-tv-1``) is false.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

bound = tt.bounds["cpo/mean-tv"]
gammas = np.linspace(0.1, 0.95, 18)
families = [tt.zoo.cpo_tight(gamma=gamma, scale=10_000.0) for gamma in gammas]
steps = [tt.compare(family.mdp, family.old, family.new) for family in families]
computed = np.array([-q.surrogate_gap for q in steps])
claimed = np.array([bound.penalty(q) for q in steps])

for gamma, gap, penalty in list(zip(gammas, computed, claimed, strict=True))[::6]:
    print(f"gamma {gamma:.2f}: computed {gap:.6f}, claimed {penalty:.6f}, ratio {gap / penalty:.4f}")
print("approached")
assert (computed <= claimed * (1 + 1e-12)).all()

# %%

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.semilogy(gammas, claimed, label="claimed: cpo/mean-tv")
axes.semilogy(gammas, computed, "o", markersize=4, label="computed: cpo-tight")
axes.semilogy(gammas, claimed / 2, "--", label="half of it, false")
axes.set(xlabel=r"$\gamma$", ylabel=r"$L-\eta$")
axes.legend()
plt.show()
