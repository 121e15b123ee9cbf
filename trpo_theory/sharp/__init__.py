"""The sharp gap from above: its linear program, supersolutions, and the penalty that they make. THEORY.md, "The sharp gap"."""
