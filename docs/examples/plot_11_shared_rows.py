r"""
A trust region can lower the return
===================================

With all policies of a table allowed, the maximiser of the surrogate within a trust region never lowers the return. It
is said of function approximation, too; where states share a row of the policy it is false (the claim
``update/max-kl-monotone-aggregated``): the family ``aliased`` of the zoo, all of whose states share one row.
"""

import matplotlib.pyplot as plt
import numpy as np

import trpo_theory as tt

family = tt.zoo.aliased(gamma=0.9, p=0.4)
one_row = tt.StateAggregation([0, 0, 0])
radii = np.geomspace(0.001, 0.3, 16)
shared = [tt.update(family.mdp, family.old, tt.MaxKL(radius), aggregation=one_row) for radius in radii]
free = [tt.update(family.mdp, family.old, tt.MaxKL(radius)) for radius in radii]

start = shared[0].expected_return_old
worst = min(shared, key=lambda step: step.expected_return_new)
print(f"one row for all states: return {start:.4f} -> {worst.expected_return_new:.4f}, a claim refuted")
print(
    f"a row for each state:   return {start:.4f} -> {min(step.expected_return_new for step in free):.4f} at the least"
)
assert worst.expected_return_new < start <= min(step.expected_return_new for step in free)

# %%

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
axes.semilogx(radii, [step.expected_return_new for step in free], "s-", markersize=4, label="a row for each state")
axes.semilogx(radii, [step.expected_return_new for step in shared], "o-", markersize=4, label="one row for all")
axes.axhline(start, color="0.6", linewidth=0.8)
axes.set(xlabel="radius, nats", ylabel="return after the update")
axes.legend()
plt.show()
