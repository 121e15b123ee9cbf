"""Every code block of docs/ runs, and prints what is shown; README.md's are run by test_readme.py, with the same executor."""

import functools
from pathlib import Path

import pytest
from cheap import sampled
from code_blocks import Block, Session, blocks

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(path): blocks((ROOT / path).read_text(encoding="utf-8"))
    for path in sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))
    if not {"_build", "catalogue", "gallery", "reference"} & set(path.parts)  # written when the pages are built
}
FAST = {
    name: found[: next((k for k, one in enumerate(found) if "slow" in one.marks), None)]
    for name, found in PAGES.items()
}
"""What comes before the first block that is marked slow."""


def run(name: str, found: list[Block], folder: Path) -> int:
    session = Session(name, folder)
    return sum(session.run(block) for block in found)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The session of a page's reader, after its quick blocks: they are run once."""

    @functools.cache
    def begun(name):
        session = Session(name, tmp_path_factory.mktemp("page"))
        for block in FAST[name]:
            session.run(block)
        return session

    return begun


@pytest.mark.parametrize("name", [name for name, found in FAST.items() if found])
def test_the_quick_blocks(name, reader):
    reader(name)


@pytest.mark.slow
@sampled("name", [name for name, found in PAGES.items() if found != FAST[name]], every=8, start=5)
def test_the_blocks_that_follow(name, reader):
    session = reader(name)
    for block in PAGES[name][len(FAST[name]) :]:
        session.run(block)


def test_there_are_blocks():
    languages = [block.language for found in PAGES.values() for block in found]
    assert languages.count("python") > 40
    assert languages.count("console") > 20


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("```python\n>>> 1 + 1\n3\n```", "Expected:"),
        ("```python\nassert 1 > 2\n```", "line 2"),
        ("```console\n$ trpo-theory prove trpo/kl\ntrpo/kl: refuted\n```", "printed:"),
        ("```console\n$ trpo-theory prove trpo/kl\n…\nQ.E.D.\n```", "printed:"),
        ("```console\n$ trpo-theory evaluate nothing.json\n…\n```", "exit status 2"),
        ("<!-- status: 1 -->\n```console\n$ trpo-theory prove trpo/kl\n…\n```", "exit status 0"),
        ("```console\n$ rm -rf out\n```", "nobody runs"),
        ("```sh\ntrpo-theory verify\n```", "nobody runs"),
        ("```text\n$ trpo-theory verify\n```", "is not run"),
        ("```pascal\nbegin end.\n```", "what is"),
        ("```python\nx = 1\n```\n\n```python\n>>> x\n2\n```", "Expected:"),
    ],
)
def test_the_executor_sees_what_is_wrong(block, complaint, tmp_path):
    with pytest.raises(AssertionError, match=complaint):
        run("page.md", blocks(block + "\n"), tmp_path)


def test_a_block_is_a_file_and_names_last(tmp_path):
    file = "<!-- file: x.txt -->\n```text\nhere\n```\n"
    text = (
        file
        + "\n```python\nfrom pathlib import Path\ny = Path('x.txt').read_text()\n```\n\n```python\n>>> y\n'here\\n'\n```\n"
    )
    assert run("page.md", blocks(text), tmp_path) == 3
    assert run("page.md", blocks("<!-- needs: no_such_module -->\n```python\n1 / 0\n```\n"), tmp_path) == 0
