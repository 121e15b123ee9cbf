"""Formulas in plain Python (`max`, `sum`, `if`, `math.sqrt`) run on numbers of another kind."""
