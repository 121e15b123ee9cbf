"""Natural policy gradient for soft returns: what a step gains, and for which sizes it is monotone."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.claims.entropy import full, full_old, logs, soft_claim, value_gain
from trpo_theory.claims.rules import tilted
from trpo_theory.step.quantities import Quantities


def npg(q: Quantities, h: Numbers) -> Numbers:
    """The policy ∝ old^{1 − hτ/(1 − γ)} exp(h Q_old/(1 − γ)), (S, A, *batch), for old > 0."""
    c = h / (1 - q.gamma)
    return tilted(q, q.arithmetic.where(q.old > 0, 1, 0), (1 - c * q.temperature) * logs(q, q.old) + c * q.q_value)


def npg_size(q: Quantities) -> Numbers:
    """h = min(size, (1 − γ)/τ), the step sizes for which NPG is monotone."""
    return q.minimum(q.size, (1 - q.gamma) / q.temperature)


def _forward(q: Quantities) -> Truth:
    return full_old(q) & (q.size > 0)


def _forward_and_full(q: Quantities) -> Truth:
    return full(q) & (q.size > 0)


def _npg_step(q: Quantities) -> Numbers:
    return npg(q, npg_size(q))


def _npg_double(q: Quantities) -> Numbers:
    return npg(q, 2 * (1 - q.gamma) / q.temperature)


def _npg_gain(q: Quantities, price: Numbers) -> Numbers:
    """V_new − V_old − E_{d_new}[(1/h − price) KL(new‖old) + KL(old‖new)/h] from each start, (S, *batch)."""
    h = npg_size(q)
    gained = (1 / h - price) * q.reverse_kl + q.kl / h
    return q.value_new - q.value - (1 - q.gamma) * q.discounted_sums_new(gained[:, None] + 0 * q.reward)


def _npg_identity(q: Quantities) -> Numbers:
    return _npg_gain(q, q.temperature / (1 - q.gamma))


def _npg_identity_hard(q: Quantities) -> Numbers:
    return _npg_gain(q, 0)


_CEN = "Cen et al. 2022, arXiv:2007.06558"
_NPG_RULE = r"\tilde\pi \propto \pi^{1-h\tau/(1-\gamma)}\exp(hQ_\pi/(1-\gamma))"
_NPG_GAIN = (
    r"V_{\tilde\pi} - V_\pi = \mathbb{E}_{d_{\tilde\pi}}\bigl[%s D_{\mathrm{KL}}(\tilde\pi\|\pi) + "
    r"\tfrac1h D_{\mathrm{KL}}(\pi\|\tilde\pi)\bigr] \text{ for } " + _NPG_RULE + r",\ 0 < h \le (1-\gamma)/\tau"
)

CLAIMS = (
    soft_claim(
        "npg-identity",
        _npg_identity,
        _NPG_GAIN % r"\bigl(\tfrac1h - \tfrac{\tau}{1-\gamma}\bigr)",
        f"{_CEN}, Lemma 1",
        "Entropy-regularised natural policy gradient",
        relation="=",
        given=_forward_and_full,
        step=_npg_step,
        provenance="M",
    ),
    soft_claim(
        "npg-identity-hard",
        _npg_identity_hard,
        _NPG_GAIN % r"\tfrac1h",
        "folklore: entropy/npg-identity with the constants of τ = 0",
        relation="=",
        given=_forward_and_full,
        step=_npg_step,
    ),
    soft_claim(
        "npg",
        value_gain,
        rf"{_NPG_RULE},\ 0 < h \le (1-\gamma)/\tau\ \Rightarrow\ V_{{\tilde\pi}} \ge V_\pi \text{{ in every state}}",
        f"{_CEN}, after Lemma 1",
        "Entropy-regularised natural policy gradient",
        given=_forward,
        step=_npg_step,
        provenance="S",
    ),
    soft_claim(
        "npg-double",
        value_gain,
        rf"{_NPG_RULE},\ h = 2(1-\gamma)/\tau\ \Rightarrow\ V_{{\tilde\pi}} \ge V_\pi \text{{ in every state}}",
        "folklore: entropy/npg with twice the largest step",
        given=full_old,
        step=_npg_double,
    ),
)
