"""Files of kind "implication": a claim that holds for all finite MDPs of a region, by one of the methods below.

The file has the claim, the region and the method; what proves it is made here anew, from the claim's own formula.
"""

import proof_own_claims as own
from proof_implied import implied
from proof_joint_range import joint_range
from proof_numbers import F, number, says, want
from proof_premises import FROM, PREMISES


def sharp_gap(own, by, gamma, radius, divergence):
    """Not decided: a file of this method has no supersolutions, and to find them takes the engine of the package."""
    want(False, "proofs by the sharp gap are not made here: their files have no supersolutions to check")


METHODS = {"implied": implied, "joint range": joint_range, "sharp gap": sharp_gap}
"""(claim, by, gamma, radius, divergence) -> None: each proves the claim, or rejects it, and that `by` says how."""
INEQUALITIES = {  # of the rows of each state
    "pinsker": lambda q: q.kl / 2 - q.tv**2,
    "jeffreys": lambda q: (q.kl + q.reverse_kl) / 4 - q.tv**2,
    "jensen-shannon": lambda q: 2 * q.jensen_shannon - q.tv**2,
    "renyi-0.1": lambda q: 5 * q.renyi_tenth - q.tv**2,
    "renyi-0.5": lambda q: q.renyi_half - q.tv**2,
    "renyi-0.9": lambda q: q.renyi_nine_tenths / F(9, 5) - q.tv**2,
}
CATALOGUE = {
    **{
        id: own.Own(id, f, given=(lambda q, least=FROM[id]: q.gamma >= least) if id in FROM else None, is_bound=True)
        for id, f in PREMISES.items()
    },
    **{f"divergence/{name}": own.Own(f"divergence/{name}", f) for name, f in INEQUALITIES.items()},
}
CAPITALS = {"kl": "KL", "tv": "TV"}


def implication(d, given=None):
    one = own.named(d, given) or CATALOGUE.get(d["claim"])
    want(one is not None, f"the claim {d['claim']} is not known here")
    want("file" not in d or one.file, "a file of claims for one of the catalogue")
    want(one.relation == ">=" and d.get("relation", ">=") == ">=", "relation")
    want(not one.details.keys() & {"step", "problem", "shift", "residual"}, "a claim about an update")
    want(
        d.get("verdict", "proved") == "proved" and d.get("enclosure", ["0", "inf"]) == ["0", "inf"],
        "verdict, or enclosure",
    )
    method, by = d["method"], d["by"]
    want(method in METHODS, f"the method {method!r} is not known here")
    gamma, radius, divergence = _interval(d.get("gamma")), _interval(d.get("radius")), d.get("divergence")
    want(gamma is None or 0 <= gamma[0] <= gamma[1] < 1, "gamma")
    want(radius is None or radius[0] >= 0, "radius")
    METHODS[method](one, by, gamma, radius, divergence)
    text = f"{one.id} holds for all finite MDPs and all policies old and new"
    text += " that meet its hypotheses" * (one.given is not None)
    text += ", every gamma in [0, 1)" if gamma is None else ", gamma in [#, #]"
    if radius is not None:
        text += f", {'-'.join(CAPITALS.get(word, word) for word in divergence.split('_'))} in [#, #]"
    return says(d, f"{text}: its slack is not negative; {by}", *(gamma or ()), *(radius or ()))


def _interval(x):
    if x is None:
        return None
    want(isinstance(x, list) and len(x) == 2, "two ends of an interval")
    low, high = map(number, x)
    want(low <= high, "ends in another order")
    return low, high
