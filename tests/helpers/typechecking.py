"""beartype as the tests use it: an int will do where a float is wanted (PEP 484's numeric tower)."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
