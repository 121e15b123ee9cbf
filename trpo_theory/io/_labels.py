"""Labels of states and actions, as the fields of a file have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.labels import Label


def label_list(fields: Mapping[str, Any], name: str) -> list[Label] | None:
    """The labels of that name, each a text or a tuple of texts; None where the fields have none."""
    if name not in fields:
        return None
    try:
        labels = fields[name].tolist() if isinstance(fields[name], np.ndarray) else fields[name]
    except (ValueError, UnicodeError):
        labels = None
    if isinstance(labels, list) and all(isinstance(label, list) for label in labels):
        return [tuple(_texts(label, name)) for label in labels]
    return [*_texts(labels, name)]


def _texts(labels: object, name: str) -> list[str]:
    if not isinstance(labels, list) or not all(isinstance(label, str | int | float) for label in labels):
        raise InvalidInput(got=f"{name} that are not a list of strings", wanted="strings", fix="correct or delete them")
    return [str(label) for label in labels]
