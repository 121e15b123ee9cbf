r"""
TRPO's bound in the KL divergence, and the truth
================================================

With :math:`D` the largest KL divergence of a state,

.. math:: L-\eta(\tilde\pi)\le\frac{4\epsilon\gamma}{(1-\gamma)^2}\,D

(Schulman et al. 2015, equation 9; the claim ``trpo/kl``). Half of it is enough by Pinsker's inequality
(``pinsker/kl``), and the chain rule of the KL divergence gives far less (``chain-rule/kl``). The least penalty that
is true for all finite processes is the *sharp gap*, computed here from both sides on a coarse grid.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

gamma, radius = 0.9, 0.1
gap = tt.sharp_gap("max-kl", gamma, radius, nodes=24)
q = tt.compare(gap.witness.mdp, gap.witness.old, gap.witness.new)  # the process that attains the lower end
names = ("trpo/kl", "pinsker/kl", "chain-rule/kl")
claimed = {name: float(tt.bounds[name].penalty(q) / q.max_abs_advantage) for name in names}

print(f"computed: the sharp gap is between {gap.lower:.3f} and {gap.upper:.3f}")
for name, value in claimed.items():
    print(f"claimed:  {name:14} {value:7.3f}, at least {value / gap.upper:.1f} times that")
print("upper bounds")
assert gap.lower <= gap.upper <= min(claimed.values())

# %%

figure, axes = plt.subplots(figsize=(4.5, 2.4), layout="constrained")
axes.barh(["computed: sharp gap"], [gap.lower], color="C1", xerr=np.array([[0], [gap.upper - gap.lower]]))
axes.barh([f"claimed: {name}" for name in claimed], list(claimed.values()), color="C0")
axes.invert_yaxis()
axes.set(xlabel=rf"$(L-\eta)/\epsilon$ for $\gamma={gamma}$, $D={radius}$")
plt.show()
