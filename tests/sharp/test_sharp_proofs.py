"""The sharp gap's two proofs: certificates made by hand prove closed forms exactly, and a false one is never accepted."""

import json
from fractions import Fraction

import exact
import mpmath
import numpy as np
import pytest
from cheap import long

from trpo_theory import zoo
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io.files import read_fields, write_fields
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.sharp.divergences import BY_NAME
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.prove_lower import enclosed_gap
from trpo_theory.sharp.prove_upper import KIND, check_supersolution
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.solving import both_ends
from trpo_theory.step.exact import ExactInstance

F = Fraction
TINY = F(1, 10**25)


def proof(divergence="tv", *, mean=False, expected=False, **numbers):
    return {"kind": KIND, "divergence": divergence, "mean": mean, "expected": expected, **numbers}


def tv_proof(gamma, alpha):
    """By hand: w is linear below 1, where G leaks alpha of new to a place that old never sees, and above."""
    most = min(2 * alpha, 1)
    end = most / (1 - gamma)
    slope = most * (gamma * alpha / (1 - gamma) - 1) / (1 - gamma * (1 - alpha))
    tight = (2, 0, 0) if alpha <= F(1, 2) else (0, 1, -1)  # lambda, mu, nu where (l - 1) A alone is worth it
    price, mu, nu = ([one] for one in tight)
    return proof(
        gamma=gamma,
        radius=alpha,
        nodes=[0, 1],
        w=[end, end + slope],
        slope=end,
        price=[*price, gamma * (end - slope), *price],
        mu=[*mu, gamma * (end + slope) / 2, mu[0] + gamma * end],
        nu=[*nu, 0, *nu],
    )


def refused(fields):
    with pytest.raises(NotSolved, match="fix: "):
        check_supersolution(fields)


def changed(fields, name, index, by):
    entries = list(fields[name])
    entries[index] += by
    return {**fields, name: entries}


@pytest.mark.parametrize("alpha", [F(1, 10**9), F(1, 4), F(1, 2), F(7, 10), F(1)])
@pytest.mark.parametrize("gamma", [F(0), F(1, 3), F(99, 100)])
def test_the_sharp_gap_for_tv_is_proved_exactly(gamma, alpha):
    """The bound `coupling/tv` at alpha <= 1/2, which F1 attains."""
    proved = check_supersolution(tv_proof(gamma, alpha))
    assert proved.bound == 2 * min(2 * alpha, 1) * gamma * alpha / ((1 - gamma) * (1 - gamma * (1 - alpha)))
    assert proved.checks == 2 * (1 + 2 + 1)


@pytest.mark.parametrize("by", [TINY, -TINY])
@pytest.mark.parametrize("name", ["price", "mu", "nu"])
def test_a_tight_proof_fails_with_any_multiplier_altered_by_a_hair(name, by):
    fields = tv_proof(F(1, 2), F(1, 4))
    for index in range(3):
        refused(changed(fields, name, index, by))


def test_a_tight_proof_fails_with_w_altered_by_a_hair():
    fields = tv_proof(F(1, 2), F(1, 4))
    for index, by in [(0, TINY), (0, -TINY), (1, -TINY)]:
        refused(changed(fields, "w", index, by))
    for by in (TINY, -TINY):
        refused({**fields, "slope": fields["slope"] + by})
    assert check_supersolution(changed(fields, "w", 1, TINY)).bound == F(2, 5) + TINY  # that only gives away
    refused({**fields, "radius": F(1, 4) + TINY})
    refused({**fields, "gamma": F(1, 2) + TINY})


def test_the_bound_cpo_mean_tv_is_proved_exactly():
    """w = |x - 1|/(1 - gamma): lambda is 2 gamma/(1 - gamma), charged once."""
    gamma, radius = F(9, 10), F(1, 7)
    end = 1 / (1 - gamma)
    fields = proof(mean=True, expected=True, gamma=gamma, radius=radius, nodes=[0, 1], w=[end, 0], slope=end)
    fields |= {"price": [2 * gamma * end] * 2 + [0], "mu": [0, 0, gamma * end], "nu": [0] * 3}
    assert check_supersolution(fields).bound == 2 * gamma * radius / (1 - gamma) ** 2
    for index in (0, 1):
        refused(changed(fields, "w", index, -TINY))
    refused({**fields, "price": [2 * gamma * end - TINY] * 3})
    refused({**fields, "expected": False})
    with pytest.raises(InvalidInput, match="the same price"):
        check_supersolution(changed(fields, "price", 1, 1))


def linear_proof(divergence, radius, gamma, scale):
    """W(x) = m (1 + x)/(1 - gamma), m the largest E(l - 1)A: half of old's mass at 1 + m with A = 1, half at 1 - m."""
    with mpmath.workdps(40):
        d = mpmath.mpf(radius)
        generator, derivative, m = {
            "kl": (lambda l: -mpmath.log(l), lambda l: -1 / l, mpmath.sqrt(1 - mpmath.exp(-2 * d))),
            "chi2": (lambda l: (l - 1) ** 2 / l, lambda l: 1 - 1 / l**2, mpmath.sqrt(d / (1 + d))),
            "reverse-kl": (lambda l: l * mpmath.log(l) - l + 1, mpmath.log, None),
        }[divergence]
        if m is None:
            about = mpmath.sqrt(2 * d)
            m = mpmath.findroot(
                lambda m: generator(1 + m) + generator(1 - m) - 2 * d,
                (about / 2, 1.2 * about),
                solver="bisect",
                verify=False,
            )
        assert mpmath.almosteq(generator(1 + m) + generator(1 - m), 2 * d, rel_eps=1e-12)
        price = 2 / (derivative(1 + m) - derivative(1 - m))
        mu = 1 - price * derivative(1 + m)
        nu = ((m - price * generator(1 + m) - mu * m) - (m - price * generator(1 - m) + mu * m)) / 2
        at_one = -price * derivative(mpmath.mpf(1))  # no reward at x = 1, and room enough: any price will do
        m, price, mu, nu, at_one = (float(one) for one in (m, price, mu, nu, at_one))
    nodes = np.array([0, 0.25, 1, 3])
    weight = np.append(abs(nodes - 1), 1.0)
    end = scale * m / (1 - gamma)
    return proof(
        divergence,
        gamma=gamma,
        radius=radius,
        nodes=nodes.tolist(),
        w=(end * (1 + nodes)).tolist(),
        slope=end,
        price=(np.where(weight == 0, 1, weight) * price).tolist(),
        mu=(np.where(weight == 0, at_one, weight * mu) + gamma * end * np.append(nodes, 1.0)).tolist(),
        nu=(weight * nu).tolist(),
    ), 2 * end


@pytest.mark.parametrize("divergence", ["kl", "chi2", "reverse-kl"])
@pytest.mark.parametrize("radius", [1e-8, 0.02, 0.3])
def test_the_largest_gain_for_ever_is_a_supersolution_and_less_is_none(divergence, radius):
    fields, bound = linear_proof(divergence, radius, 0.9, 1 + 1e-6)
    assert float(check_supersolution(fields).bound) == pytest.approx(bound, rel=1e-12)
    refused(linear_proof(divergence, radius, 0.9, 1 - 1e-6)[0])


def solved(divergence, radius, half=16, *, mean=False, expected=False):
    """A supersolution of policy iteration, as a proof object."""
    normaliser = Normaliser.EXPECTED if expected else Normaliser.MAX
    setting = Setting(BY_NAME[divergence], 0.5, radius, mean, normaliser)
    found = both_ends(setting, 1.0, nodes=half).upper
    numbers = {name: getattr(found, name).tolist() for name in ("nodes", "w", "mu", "nu")}
    numbers |= {"price": found.multiplier.tolist(), "slope": float(found.slope)}
    return proof(divergence, gamma=0.5, radius=radius, mean=mean, expected=expected, **numbers)


@pytest.fixture(scope="module")
def kl_proof():
    return solved("kl", 0.02)


@pytest.mark.slow
def test_a_bound_from_the_program_is_proved_and_above_the_drunkards_walk(kl_proof, tmp_path):
    write_fields(kl_proof, tmp_path / "proof.json")
    proved = check_supersolution(read_fields(tmp_path / "proof.json"))
    x = 0.5 * np.sqrt(-np.expm1(-2 * 0.02))  # KL(old, new) = -log(1 - 4 x^2)/2
    walk = -float(zoo.walk(gamma=0.5, x=x, n=60).gap)
    assert walk < float(proved.bound) < 1.1 * walk
    assert proved.bound == F(repr(kl_proof["w"][kl_proof["nodes"].index(1.0)]))  # the decimal in the file
    assert proved.bound < F(2) * F("0.02") * F("0.5") / F("0.25")  # pinsker/kl


def worst_excess(fields, sign):
    """Of the inequality at the nodes, over a fine grid of l, straight from its definition (KL)."""
    nodes, w = np.array(fields["nodes"]), np.array(fields["w"])
    l = np.exp(np.concatenate([np.linspace(-3, 3, 6001), np.linspace(-40, 40, 401)]))
    x, price, mu, nu = (np.array(one)[:, None] for one in (nodes, fields["price"], fields["mu"], fields["nu"]))
    target = x * l
    ahead = np.where(target > nodes[-1], w[-1] + fields["slope"] * (target - nodes[-1]), np.interp(target, nodes, w))
    spent = price[:-1] * (fields["radius"] + np.log(l)) - mu[:-1] * (l - 1) - nu[:-1] * sign
    here = abs(x - 1) * (l - 1) * sign + fields["gamma"] * ahead + spent - w[:, None]
    slope = fields["slope"]
    spent = price[-1] * (fields["radius"] + np.log(l)) - mu[-1] * (l - 1) - nu[-1] * sign
    return max(here.max(), ((l - 1) * sign + fields["gamma"] * slope * l + spent - slope).max())


@pytest.mark.slow
def test_a_false_proof_is_refused_whichever_number_is_wrong(kl_proof):
    """Whatever a brute-force search for a violation finds, the checker has seen."""
    rng, false = np.random.default_rng(0), 0
    assert max(worst_excess(kl_proof, sign) for sign in (1, -1)) < 1e-12
    for name in ("w", "price", "mu", "nu"):
        for index in rng.permutation(len(kl_proof[name]))[:12]:
            for by in (1e-2, -1e-2):
                altered = changed(kl_proof, name, index, by)
                if max(worst_excess(altered, sign) for sign in (1, -1)) > 1e-9:
                    false += 1
                    refused(altered)
    assert false > 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("divergence", "radius", "kind"),
    [
        long("kl", 0.02, {"mean": True}),
        ("kl", 0.02, {"expected": True}),
        ("tv", 0.25, {}),
        ("tv", 0.25, {"mean": True, "expected": True}),
        ("reverse-kl", 0.02, {}),
    ],
    ids=str,
)
def test_the_programs_other_kinds_are_proved_and_less_is_not(divergence, radius, kind):
    fields = solved(divergence, radius, half=10, **kind)
    bound = float(check_supersolution(fields).bound)
    known = {("tv", False): 0.4, ("tv", True): 1.0}.get((divergence, "mean" in kind))
    assert known is None or known <= bound < 1.001 * known
    refused({**fields, "w": [0.5 * one for one in fields["w"]], "slope": 0.5 * fields["slope"]})


MALFORMED = {
    "no w": ({"w": None}, "no w"),
    "another kind": ({"kind": "witness"}, "kind 'witness'"),
    "unknown divergence": ({"divergence": "hellinger"}, "one of chi2, hellinger2, .*, reverse-kl, tv"),
    "short price": ({"price": [2, 1]}, r"price of shape \(2,\)"),
    "short w": ({"w": [1]}, r"w of shape \(1,\)"),
    "nan": ({"slope": float("nan")}, "slope"),
    "nan in mu": ({"mu": [0, float("nan"), 0]}, "mu"),
    "text": ({"nu": ["a", "b", "c"]}, "nu"),
    "nested": ({"nodes": [[0, 1]]}, "nodes"),
    "ragged": ({"w": [[1], [1, 2]]}, "ragged w"),
    "no nodes": ({"nodes": [], "w": [], "price": [1], "mu": [1], "nu": [1]}, "nodes"),
    "no node 1": ({"nodes": [0, 2]}, "1 among the nodes"),
    "no node 0": ({"nodes": [F(1, 2), 1]}, "0 = x_0"),
    "nodes that fall": (
        {"nodes": [0, 1, F(1, 2)], "w": [1] * 3, **dict.fromkeys(("price", "mu", "nu"), [1] * 4)},
        "x_0",
    ),
    "gamma 1": ({"gamma": 1}, "gamma < 1"),
    "negative radius": ({"radius": -1}, "radius >= 0"),
    "mean is a word": ({"mean": "yes"}, "true or false"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_no_proof_object_is_bad_input(case):
    change, words = MALFORMED[case]
    with pytest.raises(InvalidInput, match=words):
        check_supersolution({**tv_proof(F(1, 2), F(1, 4)), **change})


def test_multipliers_are_not_negative():
    """Every inequality holds here, and TV <= 5 is no constraint: but with a negative multiplier they prove nothing."""
    fields = proof(gamma=F(1, 2), radius=5, nodes=[0, 1], w=[0, 0], slope=0, mu=[F(3, 2)] * 3, nu=[0] * 3)
    refused({**fields, "price": [-1] * 3})


def test_without_a_multiplier_new_may_go_anywhere():
    """At lambda = 0 nothing keeps l from infinity."""
    for divergence in ("kl", "tv", "chi2", "reverse-kl"):
        fields = proof(divergence, gamma=F(1, 2), radius=F(1, 4), nodes=[0, 1], w=[4, 4], slope=4, price=[0] * 3)
        refused(fields | {"mu": [0] * 3, "nu": [0] * 3})


def test_where_w_is_not_convex_its_lines_count():
    """Beyond the last node w is flatter than before it; at 0 it lies below a line through later nodes. alpha = 1/4."""
    common = proof(gamma=F(1, 2), radius=F(1, 4), nodes=[0, 1, 2], nu=[0] * 4)
    steep = common | {"w": [F(12, 10), F(22, 10), F(33, 10)], "price": [2, F(2, 10), F(22, 10), 2]}
    refused(steep | {"slope": 1, "mu": [0, F(55, 100), F(11, 10), F(1, 2)]})
    corrected = steep | {"slope": F(12, 10), "mu": [0, F(55, 100), F(11, 10), F(6, 10)]}
    assert check_supersolution(corrected).bound == F(22, 10)
    low = common | {"slope": F(12, 10), "mu": [0, F(525, 1000), F(105, 100), F(6, 10)]}
    low |= {"w": [1, 2, F(29, 10)], "price": [2, F(4, 10), F(26, 10), 2]}
    refused(low)
    assert check_supersolution(changed(low, "w", 0, F(2, 10))).bound == 2


# --- the lower bound ----------------------------------------------------------------------------------------------


def enclosed(instance, **options):
    mdp = instance.mdp
    return enclosed_gap(mdp.transition, mdp.reward, mdp.gamma, mdp.initial, instance.old, instance.new, **options)


def holds(enclosure, number, width=4e-16):
    """Whether it contains the number, and is as narrow as floats can be."""
    low, high = (exact.rational(end) for end in enclosure)
    return low <= exact.rational(number) <= high and high - low <= exact.rational(width) * abs(high)


def test_gaps_in_closed_form_are_enclosed():
    f1 = enclosed(zoo.f1(gamma=0.5, x=0.25))
    assert holds(f1.gap, F(-2, 5))
    assert f1.normalisers[Normaliser.MAX] == (1.0, 1.0)
    assert f1.divergences["max-tv"] == (0.25, 0.25)
    assert f1.normalisers[Normaliser.EXPECTED] == (0.5, 0.5)
    assert f1.divergences["reverse-max-kl"] == (np.inf, np.inf)  # new plays what old does not
    f2 = enclosed(zoo.f2(gamma=0.5, x=0.25))
    assert holds(f2.gap, F(-1, 4))
    assert f2.divergences["max-chi2"] == pytest.approx([F(1, 16) * 4 / 3 + F(1, 16) * 4] * 2, rel=1e-15)
    with mpmath.workdps(40):
        kl = -mpmath.log(1 - 4 * mpmath.mpf(0.25) ** 2) / 2
    for one in (f2.divergences["max-kl"], f2.divergences["mean-kl"]):
        assert one[0] <= kl <= one[1] <= one[0] * (1 + 4e-16)
    assert f2.divergences["max-tv"] == (0.25, 0.25)
    assert holds(f2.divergences["mean-tv"], F(1, 4))


@pytest.mark.parametrize("gamma", [0.5, 0.99])
def test_the_walks_gap_is_enclosed(gamma):
    walk = zoo.walk(gamma=gamma, x=0.01, n=60)
    found = enclosed(walk)
    assert found.gap == pytest.approx([float(walk.gap)] * 2, rel=1e-11)
    assert found.gap[1] - found.gap[0] <= 4e-16 * -found.gap[0]
    assert found.normalisers[Normaliser.MAX] == pytest.approx([1, 1], rel=1e-15)


def random_step(seed, states=5, actions=3):
    rng = np.random.default_rng(seed)
    mdp = zoo.dirichlet(rng, states=states, actions=actions, gamma=0.9)
    return zoo.families.Instance(mdp, *(zoo.random_policy(rng, (states, actions)) for _ in range(2)))


@pytest.mark.parametrize("seed", range(6))
def test_every_number_agrees_with_exact_rationals(seed):
    """Rows of floats that sum to 1 only nearly: both divide them by their exact sums."""
    step = random_step(seed)
    mdp, found = step.mdp, enclosed(step)
    fields = {"transition": mdp.transition, "reward": mdp.reward, "gamma": mdp.gamma, "initial": mdp.initial}
    instance = ExactInstance(**fields, old=step.old, new=step.new)
    chains = [
        exact.ExactPolicy(instance.transition, instance.reward, instance.gamma, instance.initial, policy)
        for policy in (instance.old, instance.new)
    ]
    true = exact.ExactStep(*chains, np.ones(step.old.shape, dtype=bool))
    assert holds(found.gap, true.surrogate_gap)
    assert holds(found.normalisers[Normaliser.MAX], max(abs(true.advantage.ravel())))
    assert holds(found.normalisers[Normaliser.EXPECTED], max(abs(true.expected_advantage)))
    with precision(256):
        q = instance.quantities()
        fields = {one.name: one.field for divergence in BY_NAME.values() for one in divergence.reductions}
        assert fields.keys() == found.divergences.keys() >= {"max-kl", "mean-kl", "max-tv", "mean-tv", "max-chi2"}
        pairs = [(getattr(q, one.field), found.normalisers[one]) for one in Normaliser]
        for number, (low, high) in pairs + [(getattr(q, fields[one]), found.divergences[one]) for one in fields]:
            assert F(low) <= number.lower <= number.upper <= F(high)
            assert high - low <= 4e-16 * high


def test_padding_is_ignored():
    """A third action that neither policy takes, with any row and reward, changes nothing."""
    step = zoo.f2(gamma=0.5, x=0.25)
    junk = np.full((3, 1, 3), 7.0)
    wide = [np.concatenate([one, np.zeros((3, 1))], axis=1) for one in (step.old, step.new)]
    reward = np.concatenate([step.mdp.reward, np.full((3, 1), 1e6)], axis=1)
    transition = np.concatenate([step.mdp.transition, junk], axis=1)
    assert enclosed_gap(transition, reward, 0.5, step.mdp.initial, *wide) == enclosed(step)


def test_an_infinite_kl_counts_in_the_mean_only_where_old_goes():
    step = zoo.f2(gamma=0.5, x=0.25)
    new = np.array(step.new)
    new[2] = [1, 0]
    found = enclosed(zoo.families.Instance(step.mdp, step.old, new))
    for name in ("max-kl", "mean-kl", "max-chi2"):
        assert found.divergences[name] == (np.inf, np.inf)
    old = np.array(step.old)
    old[0] = [1, 0]  # the state 2 is never reached
    new[0] = [0.5, 0.5]
    found = enclosed(zoo.families.Instance(step.mdp, old, new))
    assert found.divergences["max-kl"] == (np.inf, np.inf)
    with mpmath.workdps(40):
        mean = mpmath.log(2) / 2 - mpmath.log(mpmath.mpf(3) / 4) / 4  # d = (1/2, 1/2, 0)
    low, high = found.divergences["mean-kl"]
    assert low <= mean <= high <= low * (1 + 4e-16)


def test_a_witness_that_is_none_is_bad_input():
    step = zoo.f2()
    mdp = step.mdp
    good = [mdp.transition, mdp.reward, 0.5, mdp.initial, step.old, step.new]
    for index, value, words in [
        (0, mdp.transition[:2], "transition of shape"),
        (0, 2 * mdp.transition, "sums to 2"),
        (2, 1.0, "gamma"),
        (3, [1, 0], "initial of shape"),
        (4, step.old[0], "old of shape"),
        (5, [[1.5, -0.5]] * 3, "new"),
        (1, np.full((3, 2), np.nan), "reward"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            enclosed_gap(*good[:index], value, *good[index + 1 :])


def test_json_of_a_proof_keeps_fractions(tmp_path):
    fields = tv_proof(F(1, 3), F(1, 5))
    write_fields(fields, tmp_path / "proof.json")
    assert json.loads((tmp_path / "proof.json").read_text())["gamma"] == "1/3"
    assert check_supersolution(read_fields(tmp_path / "proof.json")) == check_supersolution(fields)
