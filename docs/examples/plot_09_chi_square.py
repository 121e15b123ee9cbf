r"""
A bound that reads spreads
==========================

Let :math:`c` be the largest chi-square divergence of a new row from the old one,
:math:`\chi^2(\tilde\pi_s\Vert\pi_s)`, and :math:`\mathrm{rms}(A_\pi)` the root mean square of the advantage over the
old policy's visits. Where :math:`\gamma(1+c)<1`,

.. math:: L-\eta(\tilde\pi)\le\mathrm{rms}(A_\pi)\,\frac{c\sqrt\gamma}{(1-\gamma)\sqrt{1-\gamma(1+c)}}

(the claim ``chi2/advantage``). No largest advantage stands in it. On a chain whose advantages are
in proportion to how much likelier the path so far has become, the gap comes as close to it as one likes: the family
``chi2_advantage_tight``.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

bound = tt.bounds["chi2/advantage"]
lengths = (3, 5, 8, 12, 20)
families = [tt.zoo.chi2_advantage_tight(gamma=0.5, c=0.1, n=n) for n in lengths]
steps = [tt.compare(family.mdp, family.old, family.new) for family in families]
computed = np.array([-q.surrogate_gap for q in steps])
claimed = np.array([bound.penalty(q) for q in steps])
spread = np.array([q.rms_advantage for q in steps])

for n, gap, penalty in zip(lengths, computed, claimed, strict=True):
    print(f"{n:2} steps: computed {gap:.6f}, claimed {penalty:.6f}, ratio {gap / penalty:.5f}")
print("approached")
assert (computed <= claimed).all()

# %%
# What TRPO's bound in total variation claims of the same steps is larger by far.

coarse = np.array([tt.bounds["trpo/tv"].penalty(q) for q in steps])
figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.semilogy(lengths, coarse / spread, "--", label="claimed: trpo/tv")
axes.semilogy(lengths, claimed / spread, label="claimed: chi2/advantage")
axes.semilogy(lengths, computed / spread, "o", markersize=4, label="computed")
axes.set(xlabel="length of the chain", ylabel=r"$(L-\eta)/\mathrm{rms}(A_\pi)$")
axes.legend()
plt.show()
