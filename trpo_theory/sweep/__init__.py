"""Large runs in tasks with seeds of their own: their tallies, where they run, and the directory that they leave."""

from trpo_theory.sweep.run_directory import RunDirectory, read_run
from trpo_theory.sweep.tally import Kept, Tally, merged

__all__ = ["Kept", "RunDirectory", "Tally", "merged", "read_run"]
