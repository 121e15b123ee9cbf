r"""
The coupling bound is attained
==============================

Before its last relaxation the proof of TRPO's first theorem has

.. math:: L-\eta(\tilde\pi)\le\frac{4\epsilon\gamma\alpha^2}{(1-\gamma)(1-\gamma(1-\alpha))}

(appendix A of arXiv:1502.05477v5; the claim ``coupling/tv``), :math:`\alpha` being the largest total-variation
distance between the rows of the policies. No bound in these quantities can be better: a process with two states and
three actions attains it.
"""

from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

gamma = Fraction(1, 2)
alphas = np.linspace(0.02, 0.5, 25)
families = [tt.zoo.coupling_tight(gamma=gamma, x=alpha) for alpha in alphas]
steps = [tt.compare(family.mdp, family.old, family.new) for family in families]
computed = np.array([-q.surrogate_gap for q in steps])
claimed = np.array([tt.bounds["coupling/tv"].penalty(q) for q in steps])

for alpha, gap, penalty in list(zip(alphas, computed, claimed, strict=True))[::8]:
    print(f"alpha {alpha:.2f}: computed {gap:.6f}, claimed {penalty:.6f}")
print("attained")
assert np.allclose(computed, claimed, rtol=1e-12, atol=0)

# %%
# The same in exact arithmetic: the slack is 0, not merely small.

quarter = tt.zoo.coupling_tight(gamma=gamma, x=Fraction(1, 4))
proved = tt.certify_bounds(quarter.mdp, quarter.old, quarter.new)
print("slack at alpha = 1/4:", next(bound.enclosure for bound in proved if bound.id == "coupling/tv"))

# %%

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.plot(alphas, claimed, "-", label="claimed: coupling/tv")
axes.plot(alphas, computed, "o", markersize=4, label="computed: the worst gap")
axes.plot(alphas, [tt.bounds["trpo/tv"].penalty(q) for q in steps], "--", label="claimed: trpo/tv")
axes.set(xlabel=r"$\alpha$", ylabel=r"$(L-\eta)/\epsilon$", title=r"$\gamma=1/2$")
axes.legend()
plt.show()
