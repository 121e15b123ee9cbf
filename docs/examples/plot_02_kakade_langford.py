r"""
Conservative policy iteration
=============================

A mixture moves a share :math:`x` of the old policy to a target policy, :math:`\tilde\pi=(1-x)\pi+x\pi'`. With
:math:`\epsilon'` the largest expected advantage of the target in a state, in modulus,

.. math:: L-\eta(\tilde\pi)\le\frac{2\epsilon'\gamma x^2}{(1-\gamma)(1-\gamma(1-x))}

(Kakade and Langford 2002, Theorem 4.1; the claim ``kakade-langford``). A process with two states attains it.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

bound = tt.bounds["kakade-langford"]
shares = np.linspace(0.05, 0.95, 19)
figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
for gamma in (0.5, 0.8, 0.9):
    families = [tt.zoo.kakade_langford_tight(gamma=gamma, x=x) for x in shares]
    steps = [tt.compare(family.mdp, family.old, family.new) for family in families]
    computed = np.array([-q.surrogate_gap for q in steps])
    claimed = np.array([bound.penalty(q) for q in steps])
    print(f"gamma {gamma}, x = 1/2: computed {computed[9]:.6f}, claimed {claimed[9]:.6f}")
    assert np.allclose(computed, claimed, rtol=1e-11, atol=0)
    (line,) = axes.plot(shares, claimed, label=rf"$\gamma={gamma}$")
    axes.plot(shares, computed, "o", color=line.get_color(), markersize=4)
print("attained")

# %%
# Lines are what the theorem claims, dots what is computed.

axes.set(xlabel="share of the target", ylabel=r"$(L-\eta)/\epsilon'$", yscale="log")
axes.legend()
plt.show()
