"""Soft returns, which count τ times the policy's entropy: identities, soft policy iteration, greedification.

V, Q, Ā, L and η are soft ones here: Q = r + γPV and V(s) = Σ_a π (Q − τ log π). What is claimed of the soft optimum is in
`claims/soft_optimum.py`, of natural policy gradient in `claims/soft_npg.py`.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import tilted
from trpo_theory.step.quantities import Quantities


def logs(q: Quantities, policy: Numbers) -> Numbers:
    """log π, and 0 where π = 0, (S, A, *batch)."""
    return q.log(q.arithmetic.where(policy > 0, policy, 1))


def support(q: Quantities) -> Numbers:
    """1 for the available actions, else 0, (S, A, *batch)."""
    return q.arithmetic.where(q.available, 1 + 0 * q.old, 0)


def soft_greedy(q: Quantities) -> Numbers:
    """The policy ∝ exp(Q_old/τ), (S, A, *batch)."""
    return tilted(q, support(q), q.q_value / q.temperature)


def value_gain(q: Quantities) -> Numbers:
    """V_new − V_old = (I − γ P_new)⁻¹ Ā, (S, *batch), which keeps its digits and its sign where the step is small."""
    return q.discounted_sums_new(q.expected_advantage[:, None] + 0 * q.reward)


def full_old(q: Quantities) -> Truth:
    """Whether old > 0 for every available action, (*batch)."""
    return ((q.old > 0) | ~q.available).all((0, 1))


def full(q: Quantities) -> Truth:
    """Whether old > 0 and new > 0, which an exponential may fail in floats, (*batch)."""
    return full_old(q) & ((q.new > 0) | ~q.available).all((0, 1))


def _difference(q: Quantities, gained: Numbers) -> Numbers:
    return q.expected_return_new - q.expected_return_old - q.sum_s(q.visitation_new * gained)


def _performance_difference(q: Quantities) -> Numbers:
    return _difference(q, q.sum_a(q.new * (q.q_value - q.temperature * logs(q, q.new))) - q.value)


def _hard_advantage(q: Quantities) -> Numbers:
    return _difference(q, q.sum_a(q.new * q.q_value) - q.value)


def _old_entropy(q: Quantities) -> Numbers:
    return _difference(q, q.sum_a(q.new * (q.q_value - q.temperature * logs(q, q.old))) - q.value)


def _range(q: Quantities, steps: Numbers) -> Numbers:
    """V_τ − V and V + τ log|A| steps − V_τ for the policy old, (2, S, *batch)."""
    bonus = q.value - q.replace(temperature=0).value
    most = q.temperature * q.log(q.max_s(q.sum_a(support(q)))) * steps
    return q.arithmetic.stack([bonus, most - bonus])


def _value_range(q: Quantities) -> Numbers:
    return _range(q, 1 / (1 - q.gamma))


def _value_range_one_step(q: Quantities) -> Numbers:
    return _range(q, 1)


def _colder(q: Quantities) -> Numbers:
    return tilted(q, support(q), 2 * q.q_value / q.temperature)


def _q_gain(q: Quantities) -> Numbers:
    """Q_new − Q_old = γP(V_new − V_old), (S, A, *batch)."""
    return q.gamma * q.expect(value_gain(q))


def _reverse(q: Quantities, policy: Numbers, greedy: Numbers) -> Numbers:
    return q.sum_a(q.arithmetic.kl_div(policy, greedy))


def _nearer(q: Quantities, reverse: bool) -> Numbers:
    """Of old and new in each state the one of less KL(·‖G), or KL(G‖·), for the soft greedy G; old if they are equal."""
    greedy = soft_greedy(q)
    pairs = ((policy, greedy) if reverse else (greedy, policy) for policy in (q.old, q.new))
    of_old, of_new = (q.sum_a(q.arithmetic.kl_div(*pair)) for pair in pairs)
    return q.arithmetic.where((of_new < of_old)[:, None], q.new, q.old)


def _nearer_in_reverse(q: Quantities) -> Numbers:
    return _nearer(q, True)


def _nearer_forward(q: Quantities) -> Numbers:
    return _nearer(q, False)


def _closer(q: Quantities) -> Numbers:
    """KL(old_s‖G_s) − KL(new_s‖G_s), (S, *batch)."""
    greedy = soft_greedy(q)
    return _reverse(q, q.old, greedy) - _reverse(q, q.new, greedy)


def _closer_where_new_goes(q: Quantities) -> Truth:
    return q.sum_s(q.occupancy_new * _closer(q)) >= 0


def _closer_where_old_goes(q: Quantities) -> Truth:
    return q.sum_s(q.occupancy_old * _closer(q)) >= 0


def _return_gain(q: Quantities) -> Numbers:
    return q.sum_s(q.visitation_new * q.expected_advantage)


def soft_claim(name: str, formula: Formula, statement: str, source: str, section: str = "", **details: object) -> Claim:
    """A claim of soft returns: true, with the section that proves it, or without one false."""
    expected = {"proof": Theorem(section)} if section else {"expected": False}
    fields: dict[str, object] = {"provenance": "D", "temperature": True, **expected, **details}
    return Claim(f"entropy/{name}", formula, statement, source, **fields)  # pyright: ignore[reportArgumentType]


_DIFFERENCE = (
    r"\eta_\tau(\tilde\pi) = \eta_\tau(\pi) + \sum_s\rho_{\tilde\pi}\Bigl[\textstyle\sum_a\tilde\pi(%s) - V_\pi\Bigr]"
)
_VALUES = r"V \le V_\tau \le V + %s \text{ in every state}"
_HAARNOJA = "Haarnoja et al. 2018, arXiv:1801.01290, Lemma 2"
_CHAN = "Chan et al. 2022, arXiv:2107.08285"
_GREEDY = r"\mathcal{G} \propto \exp(Q_\pi/\tau)"
_CLASS = (
    r"\tilde\pi_s = \arg\min_{x \in \Pi_s} %s,\ \pi_s \in \Pi_s,\ "
    + _GREEDY
    + r"\ \Rightarrow\ Q_{\tilde\pi} \ge Q_\pi"
)
_ON_AVERAGE = (
    r"\mathbb{E}_{s\sim %s} D_{\mathrm{KL}}(\tilde\pi_s\|\mathcal{G}_s) \le \mathbb{E}_{s\sim %s} "
    r"D_{\mathrm{KL}}(\pi_s\|\mathcal{G}_s)\ \Rightarrow\ \eta_\tau(\tilde\pi) \ge \eta_\tau(\pi),\ " + _GREEDY
)
_OF_TWO = "The class has two policies in each state, old's row and another: new is the one that is nearer to the soft greedy one."

CLAIMS = (
    soft_claim(
        "performance-difference",
        _performance_difference,
        _DIFFERENCE % r"Q_\pi - \tau\log\tilde\pi",
        "Mei et al. 2020, arXiv:2005.06392, Lemma 25",
        "Soft performance difference",
        relation="=",
        provenance="M",
    ),
    soft_claim(
        "performance-difference-hard",
        _hard_advantage,
        _DIFFERENCE % r"Q_\pi",
        "folklore: entropy/performance-difference without the entropy of the new policy",
        relation="=",
    ),
    soft_claim(
        "performance-difference-old-entropy",
        _old_entropy,
        _DIFFERENCE % r"Q_\pi - \tau\log\pi",
        "folklore: entropy/performance-difference with the soft advantage, less a divergence: "
        r"the error is τ Σ_s ρ_new(s) KL(new_s, old_s)",
        relation="=",
        given=full_old,
    ),
    soft_claim(
        "value-range",
        _value_range,
        _VALUES % r"\frac{\tau\log|\mathcal{A}|}{1-\gamma}",
        "Geist, Scherrer, Pietquin 2019, arXiv:1901.11275, Proposition 3",
        "Soft values",
        provenance="M",
    ),
    soft_claim(
        "value-range-one-step",
        _value_range_one_step,
        _VALUES % r"\tau\log|\mathcal{A}|",
        "folklore: entropy/value-range with the entropy of one step",
    ),
    soft_claim(
        "soft-policy-iteration",
        value_gain,
        r"\tilde\pi \propto \exp(Q_\pi/\tau)\ \Rightarrow\ V_{\tilde\pi} \ge V_\pi \text{ in every state}",
        _HAARNOJA + ", for the class of all policies",
        "Soft policy iteration",
        step=soft_greedy,
        provenance="S",
    ),
    soft_claim(
        "soft-policy-iteration-colder",
        value_gain,
        r"\tilde\pi \propto \exp(2Q_\pi/\tau)\ \Rightarrow\ V_{\tilde\pi} \ge V_\pi \text{ in every state}",
        "folklore: entropy/soft-policy-iteration at half the temperature",
        step=_colder,
    ),
    soft_claim(
        "reverse-kl",
        _q_gain,
        _CLASS % r"D_{\mathrm{KL}}(x\|\mathcal{G}_s)",
        _HAARNOJA,
        "Soft policy iteration",
        step=_nearer_in_reverse,
        provenance="S",
        note=_OF_TWO,
    ),
    soft_claim(
        "forward-kl",
        _q_gain,
        _CLASS % r"D_{\mathrm{KL}}(\mathcal{G}_s\|x)",
        f"entropy/reverse-kl in the other direction; that it may fail: {_CHAN}",
        step=_nearer_forward,
        provenance="S",
        note=_OF_TWO,
    ),
    soft_claim(
        "reverse-kl-mean",
        _return_gain,
        _ON_AVERAGE % (r"d_{\tilde\pi}", r"d_{\tilde\pi}"),
        _CHAN,
        "Soft policy iteration",
        given=_closer_where_new_goes,
        provenance="M",
    ),
    soft_claim(
        "reverse-kl-mean-old",
        _return_gain,
        _ON_AVERAGE % (r"d_\pi", r"d_\pi"),
        "folklore: entropy/reverse-kl-mean over the states of the policy that samples are drawn by",
        given=_closer_where_old_goes,
    ),
)
