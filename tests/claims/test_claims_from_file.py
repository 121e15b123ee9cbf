"""The claims of a file: none disappears because another one takes its name."""

import pytest

from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import InvalidInput

HEAD = "from trpo_theory import claim\n"


def ids(tmp_path, text):
    (tmp_path / "mine.py").write_text(HEAD + text)
    return [claim.id for claim in read_claims(tmp_path / "mine.py")]


def test_two_functions_of_one_name_are_two_claims(tmp_path):
    one = "@claim('mine/{0}', statement='s')\ndef _(q):\n    return q.max_tv + {0}\n"
    assert ids(tmp_path, "".join(map(one.format, range(4)))) == [f"mine/{n}" for n in range(4)]


def test_claims_of_a_loop_are_found_and_have_their_own_formulas(tmp_path):
    text = (
        "def family(k):\n    @claim(f'mine/{k}', statement='s')\n    def one(q):\n        return k\n    return one\n"
        "for k in range(3):\n    last = family(k)\n"
    )
    assert ids(tmp_path, text) == ["mine/0", "mine/1", "mine/2"]
    assert [claim.formula(None) for claim in read_claims(tmp_path / "mine.py")] == [0, 1, 2]


def test_one_id_twice_is_an_error_that_names_both_lines(tmp_path):
    text = "@claim('mine/a', statement='s')\ndef lemma(q):\n    return 1\n\n"
    with pytest.raises(InvalidInput, match=r"the id 'mine/a' twice in mine.py \(lines 2 and 6\)"):
        ids(tmp_path, text + text)


def test_a_claim_that_is_changed_and_one_of_another_file_count_once(tmp_path):
    (tmp_path / "helpers_of_mine.py").write_text(HEAD + "@claim('other/a', statement='s')\ndef a(q):\n    return 1\n")
    text = (
        "import dataclasses, helpers_of_mine\n"
        "@claim('mine/a', statement='s')\ndef a(q):\n    return 1\na = dataclasses.replace(a, expected='open')\n"
    )
    assert ids(tmp_path, text) == ["mine/a"]
    assert read_claims(tmp_path / "mine.py")[0].expected == "open"
    assert ids(tmp_path, "from helpers_of_mine import a as b\n" + text) == ["other/a", "mine/a"]
