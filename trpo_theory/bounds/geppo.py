"""Generalised policy improvement with sample reuse: Queeney, Paschalidis, Cassandras (2021, NeurIPS), arXiv:2111.00072.

States were visited by a reference policy (`Quantities.reference`), so the penalty is subtracted from
    η(old) + Σ_s ρ_ref(s) Ā(s) = L_old(new) + Σ_s (ρ_ref − ρ_old)(s) Ā(s).
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _visits_of_reference(q: Quantities) -> Numbers:
    return q.sum_s((q.visitation_reference - q.visitation_old) * q.expected_advantage)


def _from_reference(q: Quantities) -> Numbers:
    return _penalty(q, abs(q.new - q.reference))


def _from_old(q: Quantities) -> Numbers:
    return _penalty(q, abs(q.new - q.old))


def _penalty(q: Quantities, change: Numbers) -> Numbers:
    """2γ ε'/(1 − γ)² E_{s~d_ref} ½ Σ_a change(s,a)."""
    mean_tv = (1 - q.gamma) * q.sum_s(q.visitation_reference * q.sum_a(change)) / 2
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * mean_tv


def _over_references(q: Quantities, formula: Formula) -> Numbers:
    """Σ_j weights(j) formula of the step whose reference is the j-th policy of the past."""
    policies = range(q.references.shape[2])
    return sum(q.weights[j] * formula(q.replace(reference=q.references[:, :, j])) for j in policies)


def _from_references(q: Quantities) -> Numbers:
    return _over_references(q, _from_reference)


def _mixture_from_old(q: Quantities) -> Numbers:
    return _over_references(q, _from_old)


def _visits_of_references(q: Quantities) -> Numbers:
    return _over_references(q, _visits_of_reference)


_MIXED = (
    r"\eta(\tilde\pi) \ge \eta(\pi) + \mathbb{E}_{i\sim\nu}\Bigl[\sum_s \rho_{\pi_i}(s)\,\bar A(s)"
    r" - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}\,\mathbb{E}_{s\sim d^{\pi_i}}\,%s\Bigr]"
)
_CENTRED = (
    r"\eta(\tilde\pi) \ge \eta(\pi) + \sum_s \rho_{\mathrm{ref}}(s)\,\bar A(s)"
    r" - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}\,\mathbb{E}_{s\sim d^{\mathrm{ref}}}\,"
)

BOUNDS = (
    Bound(
        "geppo",
        _from_reference,
        _CENTRED + r"\mathrm{TV}(\tilde\pi_s,\pi^{\mathrm{ref}}_s)",
        "Queeney, Paschalidis and Cassandras 2021 (NeurIPS), arXiv:2111.00072",
        provenance="S",
        shift=_visits_of_reference,
        proof=Theorem("A reference policy"),
    ),
    Bound(
        "geppo/old-tv",
        _from_old,
        _CENTRED + r"\mathrm{TV}(\tilde\pi_s,\pi_s)",
        "folklore: geppo with the distance to old instead of the reference",
        expected=False,
        provenance="D",
        shift=_visits_of_reference,
    ),
    Bound(
        "geppo/mixture",
        _from_references,
        _MIXED % r"\mathrm{TV}(\tilde\pi_s,\pi_{i,s})",
        "Queeney, Paschalidis and Cassandras 2021 (NeurIPS), arXiv:2111.00072, Theorem 1, any mixture of past policies",
        provenance="S",
        shift=_visits_of_references,
        references=True,
        proof=Theorem(follows=("geppo",), because="a mean of its two sides over the references"),
    ),
    Bound(
        "geppo/mixture-old-tv",
        _mixture_from_old,
        _MIXED % r"\mathrm{TV}(\tilde\pi_s,\pi_s)",
        "folklore: geppo/mixture with the distance to old instead of the references",
        expected=False,
        provenance="D",
        shift=_visits_of_references,
        references=True,
    ),
)
