"""`average_of`: what a discounted bound says of average rewards, through what all actions lead to alike.

Where P(s'|s,a) ≥ β ν(s'), the step with average rewards is β times the discounted one of `regenerated`: so is every bound, and
each formula stays where it is. Proof: docs/theory.md, "The Doeblin reduction".
"""

from __future__ import annotations

from trpo_theory._catalogue import Catalogue
from trpo_theory.bounds import chain_rule, chi2, cpo, derived, kakade_langford, mean_kl, mixing, notes, pirotta, trpo
from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.entries.kinds import expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.solve.criteria import AVERAGE
from trpo_theory.step.quantities import Quantities
from trpo_theory.step.regeneration import forgets, regenerated

_PREFIX = "average/doeblin/"
_SECTION = "The Doeblin reduction"
_SETTING = (
    r"\quad\text{with }P=\beta\mathbf 1\nu^\top+(1-\beta)P'\text{, of }(P',\gamma=1-\beta,\rho_0=\nu)"
    r"\text{; the gain is }\beta\eta"
)


def average_of(bound: Bound) -> Bound:
    """The bound on the gain that a discounted bound amounts to, β (L − penalty) at (P', γ = 1 − β, ρ₀ = ν).

    For a penalty f(γ, ε, D) it is g(new) ≥ L − β f(1 − β, ε, D). It says nothing where β = 0. It is true if the bound is.

    Args:
        bound: for discounted returns, of the catalogue or one's own, or a sharp penalty.

    Returns:
        The bound "average/doeblin/ID"; a proved one is proved by the reduction.

    Raises:
        InvalidInput: for a bound of another setting.

    >>> from trpo_theory import bounds
    >>> average_of(bounds["trpo/tv"]).id
    'average/doeblin/trpo/tv'
    """
    expect_type(Bound, bound, "the bound", "pass one of tt.bounds.plain()")
    if bound.setting:
        raise InvalidInput(
            got=f"the bound {bound.id}, which speaks of {', '.join(sorted(bound.setting))}",
            wanted="a bound on discounted returns",
            fix="pass one of tt.bounds.plain()",
        )
    given = bound.given
    proof = None
    if bound.proof is not None:
        proof = Theorem(_SECTION, follows=(bound.id,), because="an average problem is β times a discounted one")
    return Bound(
        f"{_PREFIX}{bound.id}",
        _scaled(bound.formula, infinite=True),
        bound.statement + _SETTING,
        f'{bound.id} by the reduction of docs/theory.md, "The Doeblin reduction"',
        None if given is None else lambda q: given(regenerated(q)),
        bound.expected,
        provenance="D",
        shift=None if bound.shift is None else _scaled(bound.shift),
        small_only=True,
        residual=None if bound.residual is None else _read(bound.residual),
        criterion=AVERAGE.name,
        proof=proof,
    )


def reduced_from(claim: Claim) -> Bound | None:
    """The discounted bound that one of the catalogue's for average rewards is the reduction of; None for others."""
    id = claim.id.removeprefix(_PREFIX)
    return _BY_ID[id] if id in CARRIED_OVER and claim.id != id else None


def _read(formula: Formula) -> Formula:
    return lambda q: formula(regenerated(q))


def _scaled(formula: Formula, *, infinite: bool = False) -> Formula:
    """β times what it is of the discounted step; ∞, or else 0, where β = 0."""

    def scaled(q: Quantities) -> Numbers:
        value = q.minorisation * formula(regenerated(q))
        return q.arithmetic.where(forgets(q), value, float("inf") if infinite else 0)

    return scaled


_FILES = (kakade_langford, trpo, derived, chain_rule, mean_kl, cpo, pirotta, mixing, chi2, notes)
_BY_ID: Catalogue[Bound] = Catalogue.of("bound", (bound for file in _FILES for bound in file.BOUNDS), "")
CARRIED_OVER = (
    *("kakade-langford", "kakade-langford/greedy", "trpo/tv", "pinsker/kl", "coupling/tv", "pinsker/reverse-kl"),
    *("bh/kl", "span/tv", "mixed/tv", "chain-rule/kl", "chain-rule/reverse-kl", "chain-rule/mean-kl"),
    *("mean-kl/linear-4", "mean-kl/linear-2", "cpo/mean-tv", "cpo/mean-kl", "pirotta/span", "mixing/mean-tv"),
    *("chi2/expected-advantage", "chi2/advantage", "chi2/ratio-clip"),
    *("kakade-langford/greedy-any", "trpo/tv-2", "pinsker/kl-1", "cpo/mean-tv-1", "mean-kl/linear"),
)
"""The bounds whose form for average rewards is in the catalogue, true ones and false ones. Chosen: those that no other implies in
every instance, and those that papers print; `average_of` makes the others."""

BOUNDS = tuple(average_of(_BY_ID[id]) for id in CARRIED_OVER)
