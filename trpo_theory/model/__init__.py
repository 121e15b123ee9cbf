"""MDPs, policies, and aggregations of states."""
