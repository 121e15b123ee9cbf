"""`FiniteMDP`, policies, and aggregations of states."""
