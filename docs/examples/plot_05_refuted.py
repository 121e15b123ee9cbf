r"""
A false constant, refuted
=========================

An early text of TRPO had 2 where its first theorem has 4:

.. math:: L-\eta(\tilde\pi)\le\frac{2\epsilon\gamma}{(1-\gamma)^2}\,\alpha^2

with :math:`\alpha` the largest total-variation distance of a state (the claim ``trpo/tv-2``). The search finds a
counterexample and shrinks it; exact arithmetic proves that its slack, penalty less gap, is negative.
"""

import matplotlib.pyplot as plt

import trpo_theory as tt

verdict = tt.verify("trpo/tv-2", instances=200)["trpo/tv-2"]
witness = verdict.witness
print(verdict.verdict, "in exact arithmetic:")
print(witness.text)
assert verdict.verdict == "refuted"
assert witness.decision.upper < 0

# %%
# On that process the gap exceeds what is claimed, and keeps below what is true.

floats = witness.instance.floats()
q = tt.compare(witness.instance.mdp, floats["old"], floats["new"])
bounds = {"computed: the gap": -q.surrogate_gap}
bounds |= {f"claimed: {name}": tt.bounds[name].penalty(q) for name in ("trpo/tv-2", "coupling/tv", "trpo/tv")}

figure, axes = plt.subplots(figsize=(4.5, 2.4), layout="constrained")
axes.barh(list(bounds), list(map(float, bounds.values())), color=["C1", "C3", "C0", "C0"])
axes.invert_yaxis()
axes.set(xlabel=r"$L-\eta(\tilde\pi)$")
plt.show()
