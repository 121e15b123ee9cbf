r"""
TRPO's first theorem
====================

With :math:`\alpha` the largest total-variation distance between the rows of the two policies,

.. math:: L-\eta(\tilde\pi)\le\frac{4\epsilon\gamma}{(1-\gamma)^2}\,\alpha^2

(Schulman et al. 2015, Theorem 1; the claim ``trpo/tv``). The worst process for total variation is known in closed
form: the family ``coupling-tight`` of the zoo. How much of the penalty does it use, as the discount grows?
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

alpha = 0.05
gammas = 1 - np.geomspace(0.5, 0.001, 25)
computed, claimed = [], []
for gamma in gammas:
    family = tt.zoo.coupling_tight(gamma=gamma, x=alpha)
    q = tt.compare(family.mdp, family.old, family.new)
    computed.append(-q.surrogate_gap)
    claimed.append(4 * q.max_abs_advantage * gamma / (1 - gamma) ** 2 * alpha**2)
shares = np.divide(computed, claimed)

for gamma, share in zip(gammas[::6], shares[::6], strict=True):
    print(f"gamma {gamma:.4f}: the worst case uses {share:6.1%} of the penalty")
print("an upper bound; its constant 4 is approached for small alpha, and not attained")
assert (shares <= 1).all()

# %%
# The penalty grows with the square of the horizon :math:`1/(1-\gamma)`, the worst case for a fixed :math:`\alpha` not
# for ever.

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.loglog(1 / (1 - gammas), claimed, "--", label="claimed: the penalty")
axes.loglog(1 / (1 - gammas), computed, "o-", markersize=3, label="computed: the worst gap")
axes.set(xlabel=r"$1/(1-\gamma)$", ylabel=r"$(L-\eta)/\epsilon$")
axes.legend()
plt.show()
