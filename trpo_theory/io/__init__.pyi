from .cassandra import read_cassandra
from .files import (
    mdp_from_fields,
    policy_entries,
    read_fields,
    read_integers,
    read_mdp,
    read_policy,
    write_fields,
    write_mdp,
)
from .gym import from_gym, parse_options, time_limit
from .matlab import read_mat
from .mdptoolbox import from_mdptoolbox
from .quantecon import from_quantecon, to_quantecon
from .runs import Run, read_run, run_of, write_run
from .triplets import from_triplets, read_triplets

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
