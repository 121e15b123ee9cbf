"""Experiments: frozen settings, a run, and a separate presentation each. `python -m experiments --help`."""
