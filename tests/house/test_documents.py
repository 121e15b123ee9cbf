"""Every document that code, printed sources and documents cite is there, and so is every heading of docs/theory.md."""

import ast
import functools
import io
import re
import tokenize
from pathlib import Path

import pytest

from trpo_theory import claims
from trpo_theory.updates.sharp_penalty import SHARP

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").is_file())
CODE = sorted(path for folder in ("trpo_theory", "experiments", "tests") for path in (ROOT / folder).rglob("*.py"))
WRITTEN = ("_build", "catalogue", "gallery", "reference")
"""Folders of docs/ that are written when it is built, but for an index.md."""
PAGES = [
    path
    for path in (ROOT / "docs").rglob("*.md")
    if path.name == "index.md" or not set(path.relative_to(ROOT).parts) & set(WRITTEN)
]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *PAGES])
THEORY = ROOT / "docs" / "theory.md"

NAME = re.compile(r"(?<![\w./-])[\w/-]+\.md\b")
CITED = re.compile(r'docs/theory\.md,\s+("[^"]+"(?:(?:,| and)\s+"[^"]+")*)')
LINK = re.compile(r"\]\(([^)\s]+)\)")
BETWEEN = re.compile(r"[\"']\s*[rRbBuUfF]{0,2}[\"']")
FENCED = re.compile(r"```.*?```", re.DOTALL)


def words(path: Path) -> str:
    """What a reader reads in a file of code, its strings and comments; each implicit concatenation as one string.

    Nothing of a file that nowhere has ".md", be it in two strings: to parse and tokenize all took eight seconds.
    """
    text = path.read_text(encoding="utf-8")
    if ".md" not in BETWEEN.sub("", text):
        return ""
    strings = [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([*strings, *comments])


@functools.cache
def headings(path: Path) -> list[str]:
    prose = FENCED.sub("", path.read_text(encoding="utf-8"))
    return [match.strip() for match in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)]


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def missing_documents(text: str, *, also_written: bool) -> list[str]:
    """The names of documents that are not there; where files are written too, only what looks like a reference counts."""
    names = NAME.findall(text)
    if also_written:
        names = [name for name in names if name.startswith("docs/") or name == name[: -len(".md")].upper() + ".md"]
    return [name for name in names if not (ROOT / name).is_file()]


def missing_headings(text: str) -> list[str]:
    cited = [" ".join(name.split()) for names in CITED.findall(text) for name in re.findall(r'"([^"]+)"', names)]
    return [name for name in cited if name not in headings(THEORY)]


def broken_links(path: Path) -> list[str]:
    broken = []
    for link in LINK.findall(FENCED.sub("", path.read_text(encoding="utf-8"))):
        place, _, fragment = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = path if not place else path.parent / place
        if not target.exists() or (fragment and fragment not in map(anchor, headings(target))):
            broken.append(link)
    return broken


def test_code_cites_what_is_there():
    read = {path: words(path) for path in CODE if path != Path(__file__).resolve()}
    assert sum(map(bool, read.values())) > 100
    missing = {
        path.relative_to(ROOT): missing_documents(text, also_written=path.is_relative_to(ROOT / "tests"))
        + missing_headings(text)
        for path, text in read.items()
    }
    assert {path: names for path, names in missing.items() if names} == {}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_cite_what_is_there(path):
    text = path.read_text(encoding="utf-8")
    assert missing_headings(text) == []
    assert broken_links(path) == []


def test_headings_of_the_theory_are_distinct():
    assert len(set(headings(THEORY))) == len(headings(THEORY))


def test_what_is_derived_here_says_where():
    records = [*claims.catalogue.values(), *SHARP.values()]
    derived = [record for record in records if record.expected is True and record.provenance == "D"]
    assert derived
    assert [record.id for record in derived if not CITED.search(record.source)] == []
    missing = {
        record.id: missing_documents(record.source, also_written=False) + missing_headings(record.source)
        for record in records
    }
    assert {id: names for id, names in missing.items() if names} == {}


def test_the_test_sees_what_is_wrong(tmp_path):
    assert missing_documents("see NOTES.md and docs/theory.md, toy.md", also_written=True) == ["NOTES.md"]
    assert missing_documents("see NOTES.md and docs/theory.md, toy.md", also_written=False) == ["NOTES.md", "toy.md"]
    assert missing_headings('docs/theory.md, "The sharp\n    gap"; docs/theory.md, "The blunt gap"') == [
        "The blunt gap"
    ]
    page = tmp_path / "page.md"
    page.write_text("# One: two\n[a](page.md#one-two) [b](#three) [c](none.md) [d](https://example.org/x.md)\n")
    assert broken_links(page) == ["#three", "none.md"]
    code = tmp_path / "code.py"
    code.write_text('x = "docs/theory.md, " \'"No heading"\'  # NOTES.md\n')
    assert missing_headings(words(code)) == ["No heading"]
    split = tmp_path / "split.py"
    split.write_text('x = (\n    "NOTES."\n    f"md"\n)\n')
    assert all("NOTES.md" in words(path) for path in (code, split))
