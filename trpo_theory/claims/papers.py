"""The catalogue paper by paper: what each states, with the false twins that show what its statements need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.claims import catalogue

_PLACE = re.compile(
    r"(?:Theorem|Lemma|Corollary|Proposition|Algorithm|Figure|[Ee]quation|section|appendix) [0-9A-Z][0-9.]*[0-9A-Z]*"
)
"""A place in a paper, as a source names it."""
WORDINGS = {"S": "seen", "M": "from memory", "D": "derived here"}
"""Of a provenance."""


@dataclass(frozen=True)
class Paper:
    """A source of statements.

    Attributes:
        name: authors and year, and the name of what it proposes.
        marks: what a claim's source says where it means this paper: an arXiv number, else authors and year.
        seen: where the wording of statements with provenance "S" was seen; "" where that is the paper itself.
    """

    name: str
    marks: tuple[str, ...]
    seen: str = ""


PAPERS = (
    Paper("Kakade and Langford 2002", ("Kakade and Langford 2002", "Kakade & Langford 2002")),
    Paper("Schulman et al. 2015 (TRPO)", ("1502.05477", "Schulman et al. 2015"), "OmniSafe documentation, TRPO"),
    Paper("Achiam et al. 2017 (CPO)", ("1705.10528",), "OmniSafe documentation, CPO"),
    Paper("Pirotta et al. 2013 (safe policy iteration)", ("Pirotta et al. 2013",)),
    Paper("Queeney et al. 2021 (GePPO)", ("2111.00072",), "notes on the paper that quote its theorem"),
    Paper("Dai and Gluzman 2021", ("2107.08068",)),
    Paper("Touati et al. 2020", ("2003.04108",)),
    Paper("Schulman et al. 2017 (PPO)", ("1707.06347",)),
    Paper("Wang et al. 2019 (Truly PPO)", ("1903.07940",)),
    Paper("Kuba et al. 2022 (Mirror Learning)", ("2201.02373",)),
    Paper("Belousov and Peters 2017", ("1801.00056",)),
    Paper("Vaswani et al. 2022 (FMA-PG)", ("2108.05828",)),
    Paper("Dayan and Hinton 1997, Kober and Peters 2009", ("Dayan and Hinton 1997",)),
    Paper("Howard 1960", ("Howard 1960",)),
    Paper("Bhandari and Russo 2021", ("2007.11120",)),
    Paper("Agarwal et al. 2021", ("1908.00261",)),
    Paper("Mei et al. 2020", ("2005.06392",), "verbatim quotations in a Lean formalisation of the paper"),
    Paper("Xiao 2022", ("2201.07443",)),
    Paper("Yang et al. 2022 (CUP)", ("2209.07089",)),
    Paper("Kearns and Singh 2002", ("Kearns and Singh 2002",)),
    Paper("Lobel and Parr 2024", ("2406.16249",)),
    Paper("Janner et al. 2019 (MBPO)", ("1906.08253",), "cognoscentai.github.io, Model Based Policy Optimisation"),
    Paper("Luo et al. 2019 (SLBO)", ("1807.03858",)),
    Paper("Metelli et al. 2018", ("1806.05415",)),
    Paper("Yang et al. 2020 (PCPO)", ("2010.03152",), "OmniSafe documentation, PCPO"),
    Paper("Zhang et al. 2020 (FOCOPS)", ("2002.06506",), "OmniSafe documentation, FOCOPS"),
    Paper("Li et al. 2025 (Trust Region Masking)", ("2512.23075",), "the LaTeX source of arXiv:2512.23075"),
    Paper("Qi et al. 2026 (DPPO)", ("2602.04879",), "the LaTeX source of arXiv:2602.04879"),
    Paper("Zhang and Ross 2021 (ATRPO)", ("2106.07329",)),
    Paper("Agnihotri et al. 2024 (ACPO)", ("2302.00808",)),
    Paper("Geist et al. 2019", ("1901.11275",)),
    Paper("Haarnoja et al. 2018 (SAC)", ("1801.01290",)),
    Paper("Chan et al. 2022", ("2107.08285",)),
    Paper("Cen et al. 2022", ("2007.06558",)),
    Paper("Kuba et al. 2022 (HATRPO)", ("2109.11251",), "notes on the paper that quote its statements"),
)
"""In the order of the catalogue. A new paper is added here."""


def paper_of(claim: Claim) -> Paper | None:
    """The paper that a claim's source names first; that of the claim whose false twin it is; None if there is none."""
    found = [(claim.source.find(mark), paper) for paper in PAPERS for mark in paper.marks if mark in claim.source]
    if found:
        return min(found, key=lambda one: one[0])[1]
    of = twin_of(claim)
    return None if of is None else paper_of(of)


def twin_of(claim: Claim) -> Claim | None:
    """The true claim from which a false one of nobody's differs by one thing: the first that its source names; else None."""
    if claim.expected is not False or claim.provenance != "D":
        return None
    words = (word.strip(".,:;") for word in re.split(r"\s", claim.source))
    named = (catalogue[word] for word in words if word in catalogue and word != claim.id)
    return next((one for one in named if one.expected is True), None)


def twins(claim: Claim) -> tuple[str, ...]:
    """The ids of the false claims that differ from it by one thing."""
    return _twins().get(claim.id, ())


@cache
def _twins() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for claim in catalogue.values():
        of = twin_of(claim)
        if of is not None:
            found[of.id] = (*found.get(of.id, ()), claim.id)
    return found


def setting_text(claim: Claim) -> str:
    """What a claim is about, in words: "discounted", "average", "horizon, costs"."""
    words = [word.replace("agents=", "agents ") for word in sorted(claim.setting - {"weights"})]
    return ", ".join(words) or "discounted"


def by_paper(claims: Iterable[Claim] | None = None) -> dict[Paper, list[Claim]]:
    """Papers in the order of `PAPERS`, each with the claims whose source names it, in theirs; those of none are left out.

    Args:
        claims: those to sort; all of the catalogue by default.
    """
    sorted_out: dict[Paper, list[Claim]] = {paper: [] for paper in PAPERS}
    for claim in catalogue.values() if claims is None else claims:
        paper = paper_of(claim)
        if paper is not None:
            sorted_out[paper].append(claim)
    return {paper: found for paper, found in sorted_out.items() if found}


def paper_rows(claims: Iterable[Claim] | None = None) -> list[dict[str, Any]]:
    """One row a statement of a paper: paper, claim, expected, setting, wording and so on; twins have no rows of their own.

    Args:
        claims: as of `by_paper`.
    """
    return [
        {
            "paper": paper.name,
            "claim": claim.id,
            "expected": claim.expected,
            "setting": setting_text(claim),
            "where": ", ".join(dict.fromkeys(_PLACE.findall(claim.source))),
            "wording": WORDINGS.get(claim.provenance, ""),
            "seen": paper.seen if claim.provenance == "S" else "",
            "sharp": claim.sharp or ("identity" if claim.relation == "=" and claim.expected is True else ""),
            "twins": list(twins(claim)),
            "statement": claim.statement,
            "source": claim.source,
        }
        for paper, found in by_paper(claims).items()
        for claim in found
        if twin_of(claim) is None
    ]
