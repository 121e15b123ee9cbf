"""The catalogue as pages, one a paper or a family, written when the documentation is built: they are not committed."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from trpo_theory import claims
from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.claims.papers import WORDINGS, paper_of, setting_text, twin_of, twins
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.report import stored
from trpo_theory.report.diagram import transition_diagram
from trpo_theory.step.exact import ExactInstance

LOGGER = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "catalogue"
WITNESSES = ROOT / "tests" / "witnesses"
FAMILIES = {
    "average": "Average rewards",
    "chi2": "Chi-square of the policies",
    "transition": "Chi-square of the transitions",
    "ratio": "Clips and caps of the ratio",
    "divergence": "Divergences of a state",
    "horizon": "A finite horizon",
    "agents": "Several agents",
    "entropy": "A price of entropy",
    "mean-kl": "The mean of the KL divergence",
    "small-radius": "Small radii",
    "chain-rule": "The chain rule",
    "id": "Identities",
    "update": "Updates",
    "error": "Errors of the advantage",
}
"""Of claims that no paper states, by the beginning of their ids; the others share a page."""
REST = "other", "Other bounds, orders and folklore"
MARKS = re.compile(r"([\\`*_{}\[\]<>#$|~^])")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{5})(v\d+)?")


def write(app: Sphinx) -> None:
    """One page a group of claims, and one with all ids."""
    FOLDER.mkdir(exist_ok=True)
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims.catalogue.values():
        groups[_group(claim)].append(claim)
    pages = {name: _page(title, members) for (name, title), members in groups.items()}
    pages["all"] = _all(groups)
    for old in FOLDER.glob("*.md"):
        if old.stem not in {*pages, "index"}:
            old.unlink()
    for name, text in pages.items():
        path = FOLDER / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _group(claim: Claim) -> tuple[str, str]:
    paper = paper_of(claim)
    if paper is not None:
        return "paper-" + re.sub(r"\W+", "-", paper.name.lower()).strip("-"), paper.name
    family = claim.id.partition("/")[0]
    return (family, FAMILIES[family]) if family in FAMILIES else REST


def _all(groups: dict[tuple[str, str], list[Claim]]) -> str:
    rows = sorted((claim.id, _outcome(claim), title) for (_, title), members in groups.items() for claim in members)
    lines = [f"| {_link(id)} | {outcome} | {_plain(title)} |" for id, outcome, title in rows]
    return "\n".join(["# All claims by id", "", "| claim | verdict | page |", "|---|---|---|", *lines, ""])


def _page(title: str, members: list[Claim]) -> str:
    true = sum(claim.expected is True for claim in members)
    count = f"{len(members)} claim{'s' * (len(members) != 1)}, {true} proved."
    return "\n\n".join([f"# {_plain(title)}", count, *map(_section, members)]) + "\n"


def _section(claim: Claim) -> str:
    """All that is known of one claim."""
    code = "penalty" if isinstance(claim, Bound) else f"slack, claimed to be {'≥' if claim.relation == '>=' else '='} 0"
    facts = {
        "source": _plain(claim.source)
        + (f" (wording {WORDINGS[claim.provenance]})" if claim.provenance in WORDINGS else ""),
        "setting": setting_text(claim),
        "instances with": ", ".join(sorted(claim.needs)),
        "sharp": _plain(claim.sharp),
        "false twins": ", ".join(map(_link, twins(claim))),
        "differs by one thing from": _link(of.id) if (of := twin_of(claim)) is not None else "",
        "note": _plain(claim.note),
        "searched": _searched(claim),
    }
    parts = [
        f"({_target(claim.id)})=\n## `{claim.id}`",
        f"$$\n{claim.statement}\n$$",
        f"**{_outcome(claim)}**{_how(claim)}",
        "\n".join(f"* *{name}*: {text}" for name, text in facts.items() if text),
        _code(code, claim.formula),
        _code("hypotheses", claim.given),
        _code("the step", claim.step),
        _code("shift, the centre of the bound less the surrogate", getattr(claim, "shift", None)),
        _witness(claim),
    ]
    return "\n\n".join(part for part in parts if part)


@cache
def _kept() -> tuple[str, dict[str, Mapping[str, Any]]]:
    kept = stored.catalogue()
    return kept.date, {row["id"]: row for row in kept.rows}


def _searched(claim: Claim) -> str:
    """What the last run over the whole catalogue tried; nothing of a newer claim."""
    kept = _kept()
    row = kept[1].get(claim.id)
    if row is None:
        return ""
    counts = f"{row['instances']:,} instances, of which {row['effective']:,} put it to the test"
    ranges = f": {_plain(row['searched'])}" if claim.proof is None and row["searched"] else ""
    return f"{counts} ({kept[0]}){ranges}"


def _outcome(claim: Claim) -> str:
    if claim.proof is not None:
        return "proved"
    return "refuted" if _file(claim).exists() else "unrefuted"


def _how(claim: Claim) -> str:
    """Of a theorem, where it is proved."""
    proof = claim.proof
    if proof is None:
        return "." if claim.expected != "open" else ", and open: nobody is known to have decided it before."
    parts = []
    if proof.follows:
        parts.append(
            f"it follows from {' and '.join(map(_link, proof.follows))}"
            + (f": {_plain(proof.because)}" if proof.because else "")
        )
    if proof.section:
        anchor = re.sub(r"[^\w\- ]", "", proof.section.lower()).replace(" ", "-")
        parts.append(f"[{_plain(proof.section)}](../theory.md#{anchor})")
    if proof.formal:
        parts.append(f"{proof.machine_checked} ([{proof.formal_place}](../formal.md))")
    return ", a theorem: " + "; ".join(parts) + "."


def _code(title: str, function: object) -> str:
    if function is None:
        return ""
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function))).strip()  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""
    if not source.startswith(("def ", "@")):  # a lambda comes with the call that it stands in
        found = re.search(r"lambda .*", source, re.S)
        source = found[0] if found and source.count("lambda") == 1 and source.count("\n") == 0 else source
    return f"{title[0].upper()}{title[1:]}:\n\n```python\n{source}\n```"


def _file(claim: Claim) -> Path:
    return WITNESSES / f"{claim.id.replace('/', '--')}.json"


def _witness(claim: Claim) -> str:
    """The counterexample, decided again."""
    path = _file(claim)
    if claim.proof is not None or not path.exists():
        return ""
    fields = json.loads(path.read_text(encoding="utf-8"))
    instance = ExactInstance.from_fields(fields)
    decision = settle(claim, instance)
    if decision.verdict != "refuted":
        LOGGER.warning("%s: its witness does not refute it", claim.id)
    witness = Witness(claim, instance, decision)
    text = f"Counterexample, proved: {witness.size_text}.\n\n```text\n{witness.text}\n```"
    drawing = ""
    if instance.states <= 4:
        drawing = (
            f'\n\n<div class="witness">{transition_diagram(fields, title=f"The counterexample to {claim.id}")}</div>'
        )
    return text + drawing


def _target(id: str) -> str:
    return "claim-" + re.sub(r"[^a-z0-9]+", "-", id)


def _link(id: str) -> str:
    return f"[`{id}`](#{_target(id)})" if id in claims.catalogue else f"`{id}`"


def _plain(text: str) -> str:
    """Plain text as Markdown, with links to papers."""
    return ARXIV.sub(r"[arXiv:\1\2](https://arxiv.org/abs/\1)", MARKS.sub(r"\\\1", text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before any is read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
