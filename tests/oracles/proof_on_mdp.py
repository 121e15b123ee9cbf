"""Files about one MDP with two policies: refutations, worst cases and lower ends of the sharp gap."""

import proof_claims as claims
import proof_own_claims as own
import proof_settings as settings
from proof_divergences import NOTATION, kind_of
from proof_numbers import TINY, F, ends, number, says, want
from proof_penalties import CENTRES, penalty_of
from proof_setting_claims import SETTING
from proof_step import Step
from proof_supersolutions import EPSILON

TIGHT = F(1, 10**6)  # of an enclosure, relative


def _encloses(d, found, *fields):
    """Whether each of the fields that the file has, at least one, is a tight enclosure of what is found; the ends of the last."""
    said = [field for field in fields if field in d]
    want(said, "no ends")
    for field in said:
        lo, hi = ends(d[field])
        want(hi - lo <= TIGHT * max(abs(lo), abs(hi)) and not found < lo and not found > hi, field)
    return lo, hi


def _sizes(d):
    """ "2 states, 1 action"."""
    sizes = (len(d["old"]), "state"), (len(d["old"][0]), "action")
    return ", ".join(f"{n} {word}{'s' * (n > 1)}" for n, word in sizes)


def refutation(d, given=None):
    """A claim that is false of the file's MDP: of the catalogue, or of one's own among `given`."""
    name, mine = d["claim"], own.named(d, given)
    want(mine or name in {**claims.CLAIMS, **claims.STEPS}, f"the claim {name} is not known here")
    setting = settings.of(mine.details) if mine else SETTING.get(name, settings.NONE)
    q = settings.step(d, setting)
    if mine:
        equal, step, has_given = mine.relation == "=", False, mine.given is not None
        found = own.slack(q, mine)
    else:
        equal, step, has_given = name in claims.IDENTITIES, name in claims.STEPS, name in claims.GIVEN
        found = claims.slack(q, name)
    if found is None:  # minus infinity
        want(all(d[field] == ["-inf", "-inf"] for field in ("slack", "enclosure") if field in d), "ends of -inf")
    else:
        lo, hi = _encloses(d, found, "slack", "enclosure")
        want((found < 0 and hi < 0) or (equal and found > 0 and lo > 0), "the slack is not proved negative, or not 0")
    want(d.get("relation", "=" if equal else ">=") == ("=" if equal else ">="), "relation")
    want(d.get("verdict", "refuted") == "refuted", "verdict")
    text = f"{name} is false: for the MDP of this file ({_sizes(d)}, gamma = #{q.setting_text}) and its polic"
    text += "y old and the step that the claim speaks of, " if step else "ies old and new, "
    text += "its hypotheses hold and " * has_given + ("its two sides differ" if equal else "its slack is negative")
    return says(d, text, number(d["gamma"]), *q.setting_numbers)


def worst_case(d, given=None):
    """A share of a bound's penalty that the file's MDP uses."""
    name, mine = d["bound"], own.named(d, given, "bound")
    setting = settings.of(mine.details) if mine else SETTING.get(name, settings.NONE)
    q = settings.step(d, setting)
    slack = own.slack(q, mine) if mine else claims.slack(q, name)
    penalty = slack - q.gap if mine or name in SETTING else penalty_of(q, name)
    want(penalty > 0, "the penalty is not proved positive")
    found = 1 - slack / penalty
    lo, _ = _encloses(d, found, "ratio", "enclosure")
    want(lo <= found or lo <= found + TINY * abs(lo), "the lower end")
    of, refuted = "the bound's center" if name in CENTRES else "L_old(new)", ", which refutes it" * (lo > 1)
    text = f"for the MDP of this file ({_sizes(d)}, gamma = #{q.setting_text}) and its policies old and new, {of}"
    numbers = number(d["gamma"]), *q.setting_numbers, lo
    return says(d, f"{text} - eta(new) is at least # times the penalty of {name}{refuted}", *numbers)


def sharp_lower(d):
    """A gap over epsilon that the file's MDP has, within the radius; over a horizon, if it ends."""
    q, (kind, mean), radius = Step(d, only_used=True), kind_of(d["divergence"]), number(d["radius"])
    want(d["normaliser"] in EPSILON, "normaliser")
    size = q.value({"max": "eps", "expected": "own", "sd": "sigma"}[d["normaliser"]])
    want(size > 0 and q.spent(kind, mean) <= radius, "outside the radius, or no epsilon")
    lo, _ = _encloses(d, found := -q.gap / size, "enclosure")
    want(lo <= found or lo <= found + TINY * abs(lo), "the lower end")
    within = _ends(q, d["horizon"]) if d.get("horizon") is not None else ""
    text = f"there is a finite MDP{within}, the one of this file with {len(q.S)} states and the actions that old or new takes, "
    text += f"with gamma = #, {'mean' if mean else 'max'}-{NOTATION[kind]} <= # and "
    return says(d, f"{text}L_old(new) - eta(new) >= # {EPSILON[d['normaliser']]}", q.g, radius, lo)


def _ends(q, horizon):
    """Whether after so many steps every path is in a state of reward 0 that it never leaves."""
    want(type(horizon) is int and horizon >= 1, "horizon")
    here, can = {s for s in q.S if q.start[s]}, {s: [] for s in q.S}
    for s, a in q.pairs:
        can[s].append(a)
    for _ in range(horizon):
        here = {t for s in here for a in can[s] for t in q.P[s][a]}
    for s in here:
        want(all({*q.P[s][a]} == {s} and q.r[s][a] == 0 for a in can[s]), "an MDP that does not end")
    return f" that ends after {horizon} steps"
