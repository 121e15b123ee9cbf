"""Tallies as a Parquet table, one row a claim, and back."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping
from typing import Any

from trpo_theory.proofs.witness import instance_fields
from trpo_theory.search.coverage import Coverage
from trpo_theory.search.least import Least
from trpo_theory.step.exact import ExactInstance
from trpo_theory.verification.tally import COUNTS, Kept, Tally

_MADE_BY = "made_by"
"""The key of Parquet's metadata under which a chunk's file says which task of which run and which claims' code made it."""
_LEAST = {
    f"{prefix}_{number.name}": (name, number.name)
    for prefix, name in (("min", "least"), ("standing", "standing"))
    for number in dataclasses.fields(Least)
}
"""Columns of a tally's least numbers: which of its records, and which number of it."""
_KEPT = tuple(field.name for field in dataclasses.fields(Kept))


def to_bytes(tallies: list[Tally], made_by: Mapping[str, Any] | None = None) -> bytes:
    """The content of a chunk's file: of the tallies and of what they were made by, so that equal ones are equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    schema = _schema().with_metadata({_MADE_BY: json.dumps(made_by or {}, sort_keys=True)})
    pq.write_table(pa.Table.from_pylist([_row(tally) for tally in tallies], schema=schema), sink)
    return sink.getvalue()


def from_bytes(content: bytes) -> list[Tally]:
    """The tallies of a chunk's file.

    Raises:
        ValueError: for content that is not such a file, all of it.
    """
    return read_bytes(content)[0]


def read_bytes(content: bytes) -> tuple[list[Tally], dict[str, Any]]:
    """The tallies of a chunk's file, and what they were made by.

    Raises:
        ValueError: for content that is not such a file, all of it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
        if not table.schema.equals(_schema()):
            raise ValueError("another schema")
        made_by = json.loads((table.schema.metadata or {})[_MADE_BY.encode()])
        if not isinstance(made_by, dict):
            raise ValueError("no record of what it was made by")
        return [_tally(row) for row in table.to_pylist()], made_by
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


def _schema() -> Any:
    import pyarrow as pa

    kept = {"slack": pa.float64(), "ratio": pa.float64(), "states": pa.int64(), "actions": pa.int64()}
    worst = pa.struct(kept | {"numbers": pa.list_(pa.float64())})
    columns = {"claim": pa.string(), **dict.fromkeys(COUNTS, pa.int64())}
    columns |= {**dict.fromkeys(_LEAST, pa.float64()), "coverage": pa.string()}
    columns |= {"batched": pa.bool_(), "note": pa.string(), "error": pa.string()}
    return pa.schema(columns | {"refuted": pa.string(), "worst": pa.list_(worst)})


def _row(tally: Tally) -> dict[str, Any]:
    records = {name for name, _ in _LEAST.values()}
    row = {field.name: getattr(tally, field.name) for field in dataclasses.fields(tally) if field.name not in records}
    row |= {column: getattr(getattr(tally, name), number) for column, (name, number) in _LEAST.items()}
    row["refuted"] = json.dumps(instance_fields(tally.refuted)) if tally.refuted is not None else None
    row["coverage"] = json.dumps(tally.coverage.to_fields())
    row["worst"] = [{name: getattr(one, name) for name in _KEPT} for one in tally.worst]
    return row


def _tally(row: dict[str, Any]) -> Tally:
    refuted = row["refuted"]
    row["refuted"] = ExactInstance.from_fields(json.loads(refuted)) if refuted is not None else None
    row["coverage"] = Coverage.of_fields(json.loads(row["coverage"]))
    row["worst"] = tuple(Kept(**one | {"numbers": tuple(one["numbers"])}) for one in row["worst"])
    for record in dict.fromkeys(record for record, _ in _LEAST.values()):
        columns = {number: column for column, (name, number) in _LEAST.items() if name == record}
        row[record] = Least(**{number: row.pop(column) for number, column in columns.items()})
    return Tally(**row)
