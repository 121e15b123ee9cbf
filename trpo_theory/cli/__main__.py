"""`python -m trpo_theory.cli`."""

import sys

from trpo_theory.cli import main

if __name__ == "__main__":
    sys.exit(main())
