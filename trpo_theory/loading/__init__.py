"""MDPs, policies and aggregations from names, files and other libraries' objects; one file a reader in `readers/`."""
