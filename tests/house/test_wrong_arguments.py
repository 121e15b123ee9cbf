"""An argument of the wrong type is one message, with what was got, what is wanted and what to do."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "helpers/wrong_arguments.py"


def test_no_public_function_fails_otherwise_than_by_a_message_on_an_argument_of_the_wrong_type():
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True)
    *others, refused = done.stdout.splitlines()
    assert others == []
    assert int(refused) > 3000
