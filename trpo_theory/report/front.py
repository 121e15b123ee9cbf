"""What every page of results begins with: the explorer, and the definitions; and the page that an installed package can make."""

from __future__ import annotations

from typing import Any

from trpo_theory.report import screen, stored
from trpo_theory.report.page.blocks import Figure
from trpo_theory.report.page.definitions import Definitions
from trpo_theory.report.page.document import Page, Section
from trpo_theory.report.page.explorer import Explorer

TITLE = "What the bounds behind TRPO promise, and what they keep"
LEAD = (
    "Finite Markov decision processes are solved exactly, and the lower bounds, updates and claims of the "
    "policy-improvement literature are put to the test on them. Every number on this page is recomputed from its "
    "definition; every table and figure can be saved from it."
)
_PICTURES = (
    "Every policy of a decision process with two states and two actions is a point of a square, and its value a point of a "
    "polygon; here is `zoo:kakade` at discount 0.8."
)
_CATALOGUE = (
    "What the literature and its folklore claim, as statements that are run. A false one comes back with a small witness that is "
    "proved; what is proved says how; “unrefuted” says that no counterexample was found, not that there is none."
)

SQUARE = (
    "The policy square: the return η in colours, the surrogate L dashed, the trust regions in max-KL and in mean-KL, the region "
    "in which M promises an improvement, and each update's step. Right, or below: η, L and M along the step of the penalty "
    "problem, which maximises M; M touches η at the old policy and lies below it."
)
POLYTOPE = (
    "The value polytope: grey is what any policy can attain, its corners are deterministic policies. The paths of the updates "
    "run from the uniform policy towards the optimal one, the star, with a marker an update."
)
_OLD = [[0.45, 0.55], [0.4, 0.6]]
_RADIUS, _UPDATES = 0.05, 12
"""Of the two pictures: the old policy of the square, the radius in nats, and the updates of a path. Chosen: what can be seen."""


def front() -> list[Section]:
    """The explorer, and what symbols and words mean."""
    return [
        Section(
            "explorer",
            "Try it: two states, all policies",
            "A new policy for a decision process with two states and two actions is a point of a square. Move a slider: the "
            "return of every policy is in shades, the old policy is the circle, and three updates go from it as far as they "
            "may. The surrogate is what an algorithm knows of the return; the coloured region is where a proved lower bound "
            "promises an improvement. All symbols are defined in the next section.",
            [Explorer()],
        ),
        Section(
            "definitions",
            "Definitions",
            "What the symbols and words of this page mean. The mathematics, with every proof, is in docs/theory.md.",
            [Definitions()],
        ),
    ]


def page() -> Page:
    """The page of the kept results: explorer, definitions, the tables of the experiments' last full runs, and the catalogue."""
    from trpo_theory import landscape, zoo
    from trpo_theory.report.policy_square import policy_square
    from trpo_theory.report.value_polytope import value_polytope
    from trpo_theory.updates.problems import MaxKL, MeanKL, Penalty

    kept = stored.catalogue()
    mdp = zoo.kakade(gamma=0.8)
    problems = {"penalty": Penalty(bound="chain-rule/kl"), "max-KL": MaxKL(_RADIUS), "mean-KL": MeanKL(_RADIUS)}
    paths = {name: landscape.improvement_path(mdp, problem, _UPDATES) for name, problem in problems.items()}
    drawn = [
        _drawn("policy-square", policy_square(mdp, _OLD, _RADIUS), SQUARE),
        _drawn("value-polytope", value_polytope(mdp, paths), POLYTOPE),
    ]
    pictures = Section("pictures", "Two states, all policies", _PICTURES, drawn)
    catalogue = Section("catalogue", "The catalogue of claims", f"{_CATALOGUE} {kept.dated}", kept.blocks())
    return Page(TITLE, LEAD, [*front(), pictures, *stored.sections(), catalogue])


def _drawn(name: str, figure: Any, caption: str) -> Figure:
    wide = screen.svg(figure, name)
    small = screen.svg(screen.narrow(figure), name) if screen.is_wide(figure) else None
    return Figure(name, wide, caption, screen.title_of(wide), narrow=small)
