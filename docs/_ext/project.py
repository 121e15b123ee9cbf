"""Pages that are files of the project elsewhere, and links from pages to such files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md", "formal": "formal/README.md"}
"""Documents whose text is that of a file of the project, which reads as well on a forge."""
ELSEWHERE = {
    **{ROOT / file: ROOT / "docs" / f"{page}.md" for page, file in PAGES.items()},
    ROOT / "README.md": ROOT / "docs/index.md",
    ROOT / "docs/examples/README.rst": ROOT / "docs/gallery/index.rst",
}
"""Where a link to a file leads."""
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
FENCED = re.compile(r"(^(`{3,})[^\n]*\n.*?^\2`*$|!\[[^\]]*\]\([^)]*\))", re.M | re.S)


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """The text of a page: that of its file, with links as the built pages need them."""
    page = ROOT / "docs" / f"{docname}.md"
    if not page.exists():
        return
    origin = ROOT / PAGES[docname] if docname in PAGES else page
    if origin is not page:
        app.env.note_dependency(str(origin))
        source[0] = origin.read_text(encoding="utf-8")
    parts = FENCED.split(source[0])  # text, a fenced block or an image, its ticks, text, ...
    kept = [
        part if k % 3 else LINK.sub(lambda m: _link(m, origin, page), part) for k, part in enumerate(parts) if k % 3 < 2
    ]
    source[0] = "".join(kept)


def _link(match: re.Match[str], origin: Path, page: Path) -> str:
    target = (origin.parent / match[1]).resolve()
    if target.is_dir():
        target = target / "README.md"
    target = ELSEWHERE.get(target, target)
    place = Path(os.path.relpath(target, page.parent)).as_posix()
    if not target.is_relative_to(ROOT / "docs"):
        return f"](path:{place})"  # a file to download
    return f"]({place}{match[2] or ''})"


def setup(app: Sphinx) -> dict[str, bool]:
    """Read pages through `read`."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
