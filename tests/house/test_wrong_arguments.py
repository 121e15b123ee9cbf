"""An argument of the wrong type is one message, with what was got, what is wanted and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest
from cheap import is_whole

SCRIPT = Path(__file__).resolve().parents[1] / "helpers/wrong_arguments.py"


EVERY = 1 if is_whole() else 4
"""Of an ordinary run one in four."""


@pytest.mark.sampled
def test_no_public_function_fails_otherwise_than_by_a_message_on_an_argument_of_the_wrong_type():
    done = subprocess.run([sys.executable, str(SCRIPT), str(EVERY)], capture_output=True, text=True, check=True)
    *others, refused = done.stdout.splitlines()
    assert others == []
    assert int(refused) > 3000 / EVERY / 2
