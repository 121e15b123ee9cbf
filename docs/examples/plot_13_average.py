r"""
Average rewards
===============

In the long run the return is the gain, the average reward a step. If all actions of all states have a chance of at
least :math:`\beta` to lead to the same place (Doeblin's condition), a discounted bound holds with
:math:`\gamma=1-\beta`, times :math:`\beta`:

.. math:: L-\eta(\tilde\pi)\le\frac{4\epsilon(1-\beta)\alpha^2}{1-(1-\beta)(1-\alpha)}

(the claim ``average/doeblin/coupling/tv``), :math:`\alpha` being the largest total-variation distance of a state.
Restarting the worst discounted process with probability :math:`\beta` attains it.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

alpha, betas = 0.25, np.linspace(0.1, 0.9, 17)
computed, claimed = [], []
for beta in betas:
    family = tt.zoo.coupling_tight(gamma=1 - beta, x=alpha)
    restarted = beta * family.mdp.initial + (1 - beta) * family.mdp.transition
    mdp = tt.FiniteMDP(restarted, family.mdp.reward, 1 - beta, family.mdp.initial)
    q = tt.compare(mdp, family.old, family.new, criterion="average")
    computed.append(float(-q.surrogate_gap))
    claimed.append(float(tt.bounds["average/doeblin/coupling/tv"].penalty(q)))

for beta, gap, bound in list(zip(betas, computed, claimed, strict=True))[::4]:
    print(f"beta {beta:.2f}: computed {gap:.6f}, claimed {bound:.6f}")
print("attained")
assert np.allclose(computed, claimed, rtol=1e-9, atol=0)

# %%

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.plot(betas, claimed, label="claimed")
axes.plot(betas, computed, "o", markersize=4, label="computed")
axes.set(xlabel=r"$\beta$", ylabel="gap of the gain")
axes.legend()
plt.show()
