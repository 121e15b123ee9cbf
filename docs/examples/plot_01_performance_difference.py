r"""
The performance difference
==========================

The return of a new policy is that of the old one plus the old one's advantages, where the new one goes:

.. math:: \eta(\tilde\pi)=\eta(\pi)+\sum_s\rho_{\tilde\pi}(s)\sum_a\tilde\pi(a\mid s)A_\pi(s,a),

with :math:`\rho_{\tilde\pi}(s)` the expected discounted visits to a state (Kakade and Langford 2002, Lemma 6.1; the
claim ``id/performance-difference``). Both sides are computed by themselves on a thousand random processes.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

generator = np.random.default_rng(0)
mdps = tt.zoo.dirichlet(generator, states=5, actions=3, gamma=0.9, batch=(1000,))
old, new = (tt.zoo.random_policy(generator, (1000, 5, 3)) for _ in range(2))
q = tt.compare(mdps, old, new)

computed = q.expected_return_new - q.expected_return_old
claimed = (q.visitation_new * (q.new * q.advantage).sum(axis=1)).sum(axis=0)

print(f"computed and claimed differ by at most {np.abs(computed - claimed).max():.1e}: an identity")
assert np.allclose(computed, claimed, rtol=0, atol=1e-12)

# %%
# One point a process.

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.plot(claimed, computed, ".", markersize=3)
axes.axline((0, 0), slope=1, color="0.6", linewidth=0.8)
axes.set(xlabel="claimed change of the return", ylabel="computed change")
plt.show()
