"""Sphinx: `sphinx-build -W --keep-going -n docs docs/_build/html`. Needs the extra [docs], and no network."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

import trpo_theory  # noqa: E402

project = "trpo_theory"
author = "the authors of trpo_theory"
release = version = trpo_theory.__version__
html_title = "trpo_theory"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "project",
    "catalogue",
    "reference",
]
exclude_patterns = ["_build", "_ext", "examples"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

napoleon_use_ivar = True
napoleon_attr_annotations = False  # they have stars, as in "*batch S A"
napoleon_use_rtype = False
autodoc_typehints = "none"  # docstrings have shapes and units
autodoc_member_order = "bysource"
nitpick_ignore_regex = [("py:(class|exc|data|obj)", r"(?!trpo_theory\.\w+$).*")]
"""Annotations name types of other libraries, and of rooms that have no page; what `trpo_theory` itself has is looked for."""

suppress_warnings = ["ref.python"]
"""A name in a docstring, such as `max_kl`, that several records have."""

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "reset_modules": ("matplotlib",),
}

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
