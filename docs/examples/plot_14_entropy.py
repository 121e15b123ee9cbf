r"""
Returns with a price of entropy
===============================

A soft return adds :math:`\tau` times the entropy of the policy to each reward. With :math:`\alpha` the largest
total-variation distance of a state and :math:`\tilde\epsilon=\max\lvert Q_\pi-V_\pi-\tau\log\pi\rvert` for the soft values,

.. math::
   L-\eta(\tilde\pi)\le\frac{\gamma\alpha}{(1-\gamma)^2}
   \bigl(4\tilde\epsilon\alpha+\tau\max_s\mathrm{KL}(\tilde\pi_s\Vert\pi_s)\bigr)

(the claim ``entropy/tv``). On a thousand random processes: how much of the penalty does a step use?
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

generator = np.random.default_rng(1)
mdps = tt.zoo.dirichlet(generator, states=4, actions=3, gamma=0.8, batch=(1000,))
old = tt.zoo.random_policy(generator, (1000, 4, 3))
new = 0.9 * old + 0.1 * tt.zoo.random_policy(generator, (1000, 4, 3))
bound = tt.bounds["entropy/tv"]

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
for temperature in (0.01, 0.1, 1.0):
    q = tt.compare(mdps, old, new, temperature=temperature)
    check = bound.check(q)
    gap, claimed = -np.asarray(q.surrogate_gap), np.asarray(check.penalty)
    print(
        f"temperature {temperature:4}: the largest share of the penalty that a step uses is {np.max(gap / claimed):.4f}"
    )
    assert check.holds.all()
    axes.loglog(claimed, np.abs(gap), ".", markersize=3, label=rf"$\tau={temperature}$")
print("an upper bound")

# %%
# Below the line the claim holds with room.

ends = np.array(axes.get_xlim())
axes.loglog(ends, ends, color="0.6", linewidth=0.8)
axes.set(xlabel="claimed: the penalty", ylabel=r"computed: $\lvert\eta-L\rvert$")
axes.legend()
plt.show()
