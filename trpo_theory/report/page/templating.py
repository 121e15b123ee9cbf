"""Templates, styles and scripts of the page, from the package's data, read once."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

STYLES = ("base.css", "catalogue.css", "explorer.css", "print.css")
SCRIPTS = (
    "theme.js",
    "catalogue.js",
    "divergence.js",
    "chain.js",
    "steps.js",
    "regions.js",
    "square.js",
    "explorer.js",
    "reach.js",
    "print.js",
)


def render(template: str, **values: object) -> str:
    """A template filled in; values are escaped unless the template marks them safe."""
    return _environment().get_template(template).render(**values)


@functools.cache
def styles() -> str:
    """All styles, for one <style>."""
    return "\n".join(_asset(name) for name in STYLES)


@functools.cache
def scripts() -> str:
    """All scripts, for one <script>: one scope, in which each sees those before it."""
    return f'(() => {{\n"use strict";\n{"".join(_asset(name) for name in SCRIPTS)}}})();'


def _asset(name: str) -> str:
    return (files("trpo_theory.report.page") / "assets" / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("trpo_theory.report.page", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
