"""One policy of an MDP, and the optimal one, solved exactly."""
