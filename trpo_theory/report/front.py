"""What every page of results begins with: the explorer, and the definitions; and the page that an installed package can make."""

from __future__ import annotations

from trpo_theory.report import stored
from trpo_theory.report.page.definitions import Definitions
from trpo_theory.report.page.document import Page, Section
from trpo_theory.report.page.explorer import Explorer

TITLE = "What the bounds behind TRPO promise, and what they keep"
LEAD = (
    "Finite Markov decision processes are solved exactly, and the lower bounds, updates and claims of the "
    "policy-improvement literature are put to the test on them. Every number on this page is recomputed from its "
    "definition; every table and figure can be saved from it."
)
_CATALOGUE = (
    "What the literature and its folklore claim, as statements that are run. A false one comes back with a small witness that is "
    "proved; what is proved says how; “unrefuted” says that no counterexample was found, not that there is none."
)


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
    kept = stored.catalogue()
    catalogue = Section("catalogue", "The catalogue of claims", f"{_CATALOGUE} {kept.dated}", kept.blocks())
    return Page(TITLE, LEAD, [*front(), *stored.sections(), catalogue])
