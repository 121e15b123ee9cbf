"""Readers and writers: MDPs and policies from files, and from the libraries that already hold them.

Every reader ends in a validated `FiniteMDP` or in one `InvalidInput` that names the file, the line or the entry.
"""

from trpo_theory.io.cassandra import read_cassandra
from trpo_theory.io.files import (
    mdp_from_fields,
    policy_entries,
    read_fields,
    read_integers,
    read_mdp,
    read_policy,
    write_fields,
    write_mdp,
)
from trpo_theory.io.gym import from_gym, parse_options, time_limit
from trpo_theory.io.matlab import read_mat
from trpo_theory.io.mdptoolbox import from_mdptoolbox
from trpo_theory.io.quantecon import from_quantecon, to_quantecon
from trpo_theory.io.runs import Run, read_run, run_of, write_run
from trpo_theory.io.triplets import from_triplets, read_triplets

__all__ = [
    "Run",
    "from_gym",
    "from_mdptoolbox",
    "from_quantecon",
    "from_triplets",
    "mdp_from_fields",
    "parse_options",
    "policy_entries",
    "read_cassandra",
    "read_fields",
    "read_integers",
    "read_mat",
    "read_mdp",
    "read_policy",
    "read_run",
    "read_triplets",
    "run_of",
    "time_limit",
    "to_quantecon",
    "write_fields",
    "write_mdp",
    "write_run",
]
