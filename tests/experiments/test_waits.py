"""Times of other checkouts: a side that fails, or is not there, has none."""

import math

import pytest

from experiments.benchmarks import processes, waits


def _package(folder, code):
    (folder / "trpo_theory").mkdir()
    (folder / "trpo_theory" / "__init__.py").write_text(code)
    return folder


def test_what_a_failing_side_has_printed_is_no_time(tmp_path):
    checkout = _package(tmp_path, "print(0.001); raise SystemExit(1)")
    assert processes.in_process("waits", ["anything", "ours"], checkout) == {}


def test_a_folder_without_the_package_is_not_timed_with_this_one(tmp_path):
    assert processes.in_process("waits", ["the claims of both catalogues", "ours"], tmp_path) == {}


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import no_such_module", "raise SystemExit(3)"])
def test_a_command_that_fails_has_no_time(program):
    with pytest.raises(RuntimeError, match="-c"):
        processes.command("-c", program)


def test_a_relative_checkout_is_one_from_where_the_user_is(tmp_path, monkeypatch):
    _package(tmp_path, "")
    monkeypatch.chdir(tmp_path.parent)
    assert processes.checkout_at(tmp_path.name) == tmp_path.resolve()


def test_a_folder_that_is_no_checkout_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        waits.main(["--before", str(tmp_path), "no such work"])
    assert stopped.value.code == 2
    assert "wanted a checkout" in capsys.readouterr().err


def test_the_quickest_peer_is_one_that_came_to_an_end():
    assert waits.quickest({"failed": math.nan, "slow": 3.0, "quick": 2.0, "too": math.nan}) == "quick"
    assert waits.quickest({"failed": math.nan}) == ""
