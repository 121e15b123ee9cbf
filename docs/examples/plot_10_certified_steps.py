r"""
Steps that are certified before they are taken
==============================================

A bound certifies a step if its lower value, at this very step, is above the old return. At each update, take the
largest trust region whose own step a bound certifies: no update can lower the return, and there is no parameter. How
fast is that on FrozenLake, from the uniform policy?
"""

import matplotlib.pyplot as plt

import trpo_theory as tt

mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
goal = tt.optimal(mdp).expected_return
bounds = ("chain-rule/kl", "chi2/expected-advantage", "chi2/second-order", "transition/second-order")

figure, axes = plt.subplots(figsize=(4.5, 3.2), layout="constrained")
for bound, marker in zip(bounds, "os^D", strict=True):
    trace = tt.improve(mdp, tt.ReverseMaxChi2(tt.Certified(bound)), steps=10)
    returns = [step.expected_return for step in trace.steps]
    end = f"after {len(returns):2} updates {returns[-1] / goal:6.1%} of the best return"
    print(f"{bound:24} first radius {trace.steps[0].radius:.1e}; {end}")
    assert trace.decreases == 0
    axes.plot(range(1, len(returns) + 1), [value / goal for value in returns], marker=marker, markersize=4, label=bound)
print("no update lowered the return, as promised")

# %%

axes.set(xlabel="updates", ylabel="share of the best return")
axes.legend()
plt.show()
