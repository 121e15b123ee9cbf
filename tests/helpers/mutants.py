"""Damage: what a file of a format may become, from one byte to a number beyond all use, from a seed."""

from __future__ import annotations

import copy
import io
import json
import re
import zipfile

import numpy as np

NASTY = (
    *(
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "1e999",
        "-1e308",
        "1e308",
        "5e-324",
        "-0.0",
        "0",
        "-1",
        "1/0",
        "1/3",
        "2",
    ),
    *(
        "1" + "0" * 30,
        "9" * 5000,
        "0x10",
        "1e",
        "٣",
        "1_000",
        "true",
        "null",
        '""',
        "[]",
        "{}",
        "[/bold]",
        "\ud83d\ude00"[:0],
    ),
    *(
        "2147483648",
        "9223372036854775808",
        "1e-400",
        "0." + "3" * 500,
        "1000000",
        "[" * 200,
        '{"a":' * 150,
        "10000000000000",
    ),
)
NODES = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        7,
        1e308,
        -1e308,
        5e-324,
        10**30,
        10**400,
        2**63,
        0.5,
        -0.5,
        "1/3",
        "-1/7",
        "1/0",
    ),
    *(
        "nan",
        "-inf",
        "inf",
        "1e2000",
        "1e-2000",
        "[/b]",
        "",
        "x" * 3000,
        "\x00",
        "\ud800",
        "999999999999/1000000000000",
    ),
    *([], {}, [[]], [[[[1]]]], [0] * 50, [[0.5, 0.5]] * 3, {"a": 1}, [1, [2, [3]]], float("nan"), float("inf")),
)
HEADERS = (
    *(b"'<f8'", b"'<f4'", b"'|O'", b"'<i8'", b"'|b1'", b"'<U3'", b"'<c16'", b"'|S2'", b"'<M8[s]'", b"'>f8'", b"'|V8'"),
    *(
        b"(2,)",
        b"(2, 2)",
        b"()",
        b"(-1,)",
        b"(1000000000000,)",
        b"(0, 2)",
        b"(2, 2, 2)",
        b"True",
        b"False",
        b"(1, 2, 3, 4)",
    ),
    *(b"[('a', '<f8')]", b"(99999999999999999999,)", b"(2.5,)", b"'<f16'", b"None"),
)
_NUMBERS = [
    *map(np.float64, (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 5e-324, 2.0, 0.5, 1e18, 2.0**53)),
    *map(np.int64, (0, 1, -1, 2**40)),
]
_TOKEN = re.compile(rb"[A-Za-z_]+|[-+]?[0-9][0-9.eE+/-]*|\s+|.", re.DOTALL)


def bytes_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Bits flipped, bytes set, pieces cut out, doubled, exchanged, or the end lost."""
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        at, length = int(rng.integers(len(damaged))), int(rng.integers(1, 17))
        match int(rng.integers(6)):
            case 0:
                damaged[at] ^= 1 << int(rng.integers(8))
            case 1:
                damaged[at] = int(rng.integers(256))
            case 2:
                del damaged[at : at + length]
            case 3:
                damaged[at:at] = damaged[at : at + length] * int(rng.integers(1, 4))
            case 4:
                other = int(rng.integers(len(damaged)))
                damaged[at : at + length] = damaged[other : other + length]
            case _:
                if rng.random() < 0.2:
                    del damaged[at:]
        damaged = damaged or bytearray(b"0")
    return bytes(damaged)


def text_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Words and numbers exchanged, doubled, dropped, or replaced by nasty ones."""
    tokens = _TOKEN.findall(content)
    for _ in range(int(rng.integers(1, 4))):
        at, other = (int(i) for i in rng.integers(len(tokens), size=2))
        match int(rng.integers(5)):
            case 0 | 1:
                tokens[at] = NASTY[int(rng.integers(len(NASTY)))].encode(errors="replace")
            case 2:
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 3:
                tokens[at:at] = tokens[min(at, other) : max(at, other)][:60]
            case _:
                del tokens[at : at + int(rng.integers(1, 9))]
        tokens = tokens or [b"0"]
    return b"".join(tokens)


def json_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A value somewhere in the tree replaced, doubled, nested, or dropped: JSON still."""
    value = json.loads(content)
    for _ in range(int(rng.integers(1, 3))):
        parent, key = _somewhere(value, rng)
        if parent is None:
            return json.dumps(_node(rng)).encode()
        match int(rng.integers(6)):
            case 0 | 1 | 2:
                parent[key] = _node(rng)
            case 3:
                parent[key] = [parent[key]]
            case 4:
                parent[key] = [parent[key], copy.deepcopy(parent[key])]
            case _:
                del parent[key]
    return json.dumps(value).encode()


def _node(rng: np.random.Generator) -> object:
    return copy.deepcopy(NODES[int(rng.integers(len(NODES)))])


def _somewhere(value: object, rng: np.random.Generator) -> tuple:
    parent, key = None, None
    while isinstance(value, dict | list) and value and (parent is None or rng.random() < 0.8):
        parent = value
        key = list(value)[int(rng.integers(len(value)))] if isinstance(value, dict) else int(rng.integers(len(value)))
        value = value[key]
    return parent, key


def npz_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Arrays with another header or content, exchanged, renamed or dropped, in a zip file that is whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    for _ in range(int(rng.integers(1, 3))):
        names = list(members)
        name, other = (names[int(i)] for i in rng.integers(len(names), size=2))
        match int(rng.integers(6)):
            case 0:
                members[name] = bytes_damaged(members[name], rng)
            case 1 | 2:
                members[name] = npy_damaged(members[name], rng)
            case 3:
                members[name], members[other] = members[other], members[name]
            case 4:
                members[f"{name[:-5]}.npy"] = members[other]
            case _:
                if len(members) > 1:
                    del members[name]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED) as archive:
        for name, part in members.items():
            archive.writestr(name, part)
    return stream.getvalue()


def npy_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Another dtype, order or shape in the header, or other numbers."""
    if rng.random() < 0.5 and len(content) > 136:
        numbers = bytearray(content)
        at = 128 + 8 * int(rng.integers((len(content) - 128) // 8))
        numbers[at : at + 8] = _NUMBERS[int(rng.integers(len(_NUMBERS)))].tobytes()
        return bytes(numbers)
    start = content[:128]
    fields = re.findall(rb"'[<>|][A-Za-z0-9\[\]]+'|\([0-9, ]*\)|True|False", start)
    if not fields:
        return bytes_damaged(content, rng)
    old, new = fields[int(rng.integers(len(fields)))], HEADERS[int(rng.integers(len(HEADERS)))]
    start = start.replace(old, new, 1)
    return start[:127].ljust(127) + b"\n" + content[128:]
