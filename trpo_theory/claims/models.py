"""What a second transition P̂ costs: the simulation lemma, and the guarantees of model-based updates that lean on it.

The hat is what a policy has in the MDP of the same rewards with P̂ for P.
"""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def in_model(q: Quantities) -> Quantities:
    """The same step in the MDP with P̂ for P."""
    return q.replace(transition=q.model)


def difference(q: Quantities, value: Numbers) -> Numbers:
    """Σ_s' (P̂ − P)(s'|s,a) value(s'), (S, A, *batch)."""
    return q.arithmetic.expect(q.model - q.transition, value)


def distance(q: Quantities) -> Numbers:
    """‖P̂(·|s,a) − P(·|s,a)‖₁, (S, A, *batch)."""
    return q.arithmetic.sum(abs(q.model - q.transition), 2)


def _largest_distance(q: Quantities) -> Numbers:
    return q.max_s(q.max_a(distance(q)))


def _model_error(q: Quantities) -> Numbers:
    """η̂(old) − η(old) as γ Σ_s ρ_old Σ_a old (P̂ − P) V̂_old, which keeps its digits where P̂ is close to P."""
    return q.gamma * q.sum_s(q.visitation_old * q.sum_a(q.old * difference(q, in_model(q).value)))


def _simulation(q: Quantities) -> Numbers:
    return in_model(q).expected_return_old - q.expected_return_old - _model_error(q)


def _simulation_one_model(q: Quantities) -> Numbers:
    wrong = q.gamma * q.sum_s(q.visitation_old * q.sum_a(q.old * difference(q, q.value)))
    return in_model(q).expected_return_old - q.expected_return_old - wrong


def _bounded(constant: int, power: int) -> Formula:
    """γ/(constant (1 − γ)^power) max ‖P̂ − P‖₁ − |η̂ − η|."""
    return lambda q: q.gamma / (constant * (1 - q.gamma) ** power) * _largest_distance(q) - abs(_model_error(q))


def _simulation_tight(q: Quantities, share: int = 1) -> Numbers:
    x = _largest_distance(q) / 2
    return q.gamma * x / (share * (1 - q.gamma) * (1 - q.gamma * (1 - x))) - abs(_model_error(q))


def _unit_rewards(q: Quantities) -> Truth:
    return q.unit_rewards


def _model_tv(q: Quantities) -> Numbers:
    """max_s Σ_a old(a|s) TV(P, P̂), (*batch)."""
    return q.max_s(q.sum_a(q.old * distance(q))) / 2


def _new_error(q: Quantities) -> Numbers:
    """η̂(new) − η(new), (*batch)."""
    return q.gamma * q.sum_s(q.visitation_new * q.sum_a(q.new * difference(q, in_model(q).value_new)))


def _mbpo(q: Quantities) -> Numbers:
    largest, shift = q.max_s(q.max_a(abs(q.reward))), q.max_tv
    first = 2 * q.gamma * largest * (_model_tv(q) + 2 * shift) / (1 - q.gamma) ** 2
    return first + 4 * largest * shift / (1 - q.gamma) - _new_error(q)


def _mbpo_no_shift(q: Quantities) -> Numbers:
    largest = q.max_s(q.max_a(abs(q.reward)))
    return 2 * q.gamma * largest * _model_tv(q) / (1 - q.gamma) ** 2 - _new_error(q)


def _discrepancy(q: Quantities) -> Numbers:
    """G(s, a) = Σ_s' (P̂ − P)(s'|s,a) V̂_new(s'), (S, A, *batch)."""
    return difference(q, in_model(q).value_new)


def _slbo_no_shift(q: Quantities) -> Numbers:
    horizon = q.gamma / (1 - q.gamma)
    seen = q.sum_s(q.occupancy_old * q.sum_a(q.new * abs(_discrepancy(q))))
    return horizon * seen - abs(_new_error(q))


def _slbo(q: Quantities) -> Numbers:
    horizon = q.gamma / (1 - q.gamma)
    largest = q.max_s(q.max_a(abs(_discrepancy(q))))
    return _slbo_no_shift(q) + 2 * horizon**2 * largest * q.mean_tv


def _joint_advantage(q: Quantities) -> Numbers:
    """Σ_a new (r + γ P̂ V_old) − V_old = Ā + γ Σ_a new (P̂ − P) V_old, (S, *batch)."""
    return q.expected_advantage + q.gamma * q.sum_a(q.new * difference(q, q.value))


def _joint_difference(q: Quantities) -> Numbers:
    model = in_model(q)
    gained = q.sum_s(model.visitation_new * _joint_advantage(q))
    return model.expected_return_new - q.expected_return_old - gained


def _joint_difference_one_model(q: Quantities) -> Numbers:
    gained = q.sum_s(q.visitation_new * _joint_advantage(q))
    return in_model(q).expected_return_new - q.expected_return_old - gained


def _beyond_joint(q: Quantities) -> Numbers:
    """η̂(new) − η(old) − Σ_s ρ_old (its joint advantage), (*batch)."""
    moved = in_model(q).visitation_new - q.visitation_old
    return q.sum_s(moved * _joint_advantage(q))


def _joint_bound_of(q: Quantities, changed: Numbers) -> Numbers:
    """γ/(1 − γ)² changed max_s |joint advantage| plus what is beyond the first order."""
    scale = q.gamma / (1 - q.gamma) ** 2 * q.max_s(abs(_joint_advantage(q)))
    return scale * changed + _beyond_joint(q)


def _joint_bound(q: Quantities) -> Numbers:
    return _joint_bound_of(q, 2 * q.mean_tv + q.sum_s(q.occupancy_old * q.sum_a(q.new * distance(q))))


def _joint_bound_policy(q: Quantities) -> Numbers:
    return _joint_bound_of(q, 2 * q.mean_tv)


_LEMMA = r"\hat\eta(\pi) - \eta(\pi) = \gamma\sum_s\rho_\pi(s)\sum_a\pi(a|s)\sum_{s'}(\hat P - P)(s'|s,a)\,%s(s')"
_AT_MOST = r"|\hat\eta(\pi) - \eta(\pi)| \le %s\max_{s,a}\|\hat P(\cdot|s,a) - P(\cdot|s,a)\|_1,\quad r\in[0,1]"
_KEARNS = "the simulation lemma: Kearns and Singh 2002; here with the constant of the value's range, half of max|V|'s"
_JANNER = "Janner, Fu, Zhang and Levine 2019, arXiv:1906.08253, Theorem 4.1"
_LUO = "Luo, Xu, Li, Tian, Darrell and Ma 2019, arXiv:1807.03858 (SLBO)"
_METELLI = "Metelli, Mutti and Restelli 2018, arXiv:1806.05415"
_MODEL_TV = r"\epsilon_m = \max_s\mathbb{E}_{a\sim\pi}\mathrm{TV}(P,\hat P),\ \epsilon_\pi = \max_s\mathrm{TV}(\pi_s,\tilde\pi_s)"
_G = r"G(s,a) = \sum_{s'}(\hat P - P)(s'|s,a)\hat V_{\tilde\pi}(s')"
_JOINT = r"B(s) = \sum_a\tilde\pi(r + \gamma\hat P V_\pi) - V_\pi"


def _model_claim(id: str, formula: Formula, statement: str, source: str, **details: Any) -> Claim:
    details = {"provenance": "M" if details.get("expected", True) is True else "D"} | details
    if details.get("expected", True) is True:
        details.setdefault("proof", Theorem("Two models"))
    return Claim(id, formula, statement, source, model=True, **details)


CLAIMS = (
    _model_claim("model/simulation", _simulation, _LEMMA % r"\hat V_\pi", _KEARNS.split(";")[0], relation="="),
    _model_claim(
        "model/simulation-one-model",
        _simulation_one_model,
        _LEMMA % r"V_\pi",
        "model/simulation with visits and values of the same model",
        relation="=",
        expected=False,
    ),
    _model_claim(
        "model/simulation-bound",
        _bounded(2, 2),
        _AT_MOST % r"\frac{\gamma}{2(1-\gamma)^2}",
        _KEARNS,
        given=_unit_rewards,
        needs=frozenset({"unit-reward"}),
        sharp="no: model/simulation-tight is below it",
    ),
    _model_claim(
        "model/simulation-bound-half",
        _bounded(4, 2),
        _AT_MOST % r"\frac{\gamma}{4(1-\gamma)^2}",
        "model/simulation-bound with half its constant",
        given=_unit_rewards,
        needs=frozenset({"unit-reward"}),
        expected=False,
    ),
    _model_claim(
        "model/simulation-bound-linear",
        _bounded(2, 1),
        _AT_MOST % r"\frac{\gamma}{2(1-\gamma)}",
        "folklore: errors of a model do not compound",
        given=_unit_rewards,
        needs=frozenset({"unit-reward"}),
        expected=False,
    ),
    _model_claim(
        "model/simulation-tight",
        _simulation_tight,
        r"|\hat\eta(\pi) - \eta(\pi)| \le \frac{\gamma x}{(1-\gamma)(1-\gamma(1-x))},"
        r"\ x = \max_{s,a}\mathrm{TV}(P,\hat P),\quad r\in[0,1]",
        "Lobel and Parr 2024, arXiv:2406.16249",
        given=_unit_rewards,
        needs=frozenset({"unit-reward"}),
        sharp="attained: P stays where r = 1, P̂ leaves with probability x to where r = 0",
    ),
    _model_claim(
        "model/simulation-tight-half",
        lambda q: _simulation_tight(q, 2),
        r"|\hat\eta(\pi) - \eta(\pi)| \le \frac{\gamma x}{2(1-\gamma)(1-\gamma(1-x))},"
        r"\ x = \max_{s,a}\mathrm{TV}(P,\hat P),\quad r\in[0,1]",
        "model/simulation-tight with half of it",
        given=_unit_rewards,
        needs=frozenset({"unit-reward"}),
        expected=False,
    ),
    _model_claim(
        "mbpo/return",
        _mbpo,
        r"\eta(\tilde\pi) \ge \hat\eta(\tilde\pi) - \frac{2\gamma r_{\max}(\epsilon_m + 2\epsilon_\pi)}{(1-\gamma)^2}"
        rf" - \frac{{4 r_{{\max}}\epsilon_\pi}}{{1-\gamma}},\quad {_MODEL_TV}",
        _JANNER,
        provenance="S",
        note="Its model error is the largest over times t of the mean over s_t; the largest over states is no less.",
    ),
    _model_claim(
        "mbpo/return-no-shift",
        _mbpo_no_shift,
        rf"\eta(\tilde\pi) \ge \hat\eta(\tilde\pi) - \frac{{2\gamma r_{{\max}}\epsilon_m}}{{(1-\gamma)^2}},\quad {_MODEL_TV}",
        "mbpo/return as if the model were as good where the new policy goes",
        expected=False,
    ),
    _model_claim(
        "slbo/discrepancy",
        _slbo,
        r"|\hat\eta(\tilde\pi) - \eta(\tilde\pi)| \le \kappa\,\mathbb{E}_{s\sim d^\pi,a\sim\tilde\pi}|G|"
        rf" + 2\kappa^2\max|G|\,\mathbb{{E}}_{{s\sim d^\pi}}\mathrm{{TV}}(\pi_s,\tilde\pi_s)"
        rf",\ \kappa = \tfrac{{\gamma}}{{1-\gamma}},\ {_G}",
        _LUO + ", there with the root of KL for TV",
    ),
    _model_claim(
        "slbo/discrepancy-no-shift",
        _slbo_no_shift,
        rf"|\hat\eta(\tilde\pi) - \eta(\tilde\pi)| \le \tfrac{{\gamma}}{{1-\gamma}}\,\mathbb{{E}}_{{s\sim d^\pi,a\sim\tilde\pi}}"
        rf"|G|,\ {_G}",
        "slbo/discrepancy without its second term",
        expected=False,
    ),
    _model_claim(
        "model/joint-difference",
        _joint_difference,
        rf"\hat\eta(\tilde\pi) = \eta(\pi) + \sum_s\hat\rho_{{\tilde\pi}}(s)B(s),\quad {_JOINT}",
        _METELLI + ": the relative advantage of model and policy together",
        relation="=",
    ),
    _model_claim(
        "model/joint-difference-one-model",
        _joint_difference_one_model,
        rf"\hat\eta(\tilde\pi) = \eta(\pi) + \sum_s\rho_{{\tilde\pi}}(s)B(s),\quad {_JOINT}",
        "model/joint-difference with visits in the old model",
        relation="=",
        expected=False,
    ),
    _model_claim(
        "model/joint-bound",
        _joint_bound,
        r"\hat\eta(\tilde\pi) \ge \eta(\pi) + \sum_s\rho_\pi B - \frac{\gamma\max|B|}{(1-\gamma)^2}\mathbb{E}_{s\sim d^\pi}"
        rf"\Bigl[\|\tilde\pi_s-\pi_s\|_1 + \sum_a\tilde\pi\|\hat P - P\|_1\Bigr],\ {_JOINT}",
        _METELLI + ", decoupled; there with differences of Q for max|B|",
    ),
    _model_claim(
        "model/joint-bound-policy",
        _joint_bound_policy,
        r"\hat\eta(\tilde\pi) \ge \eta(\pi) + \sum_s\rho_\pi B - \frac{\gamma\max|B|}{(1-\gamma)^2}\mathbb{E}_{s\sim d^\pi}"
        rf"\|\tilde\pi_s-\pi_s\|_1,\ {_JOINT}",
        "model/joint-bound as if only the policy changed",
        expected=False,
    ),
)
