"""The sharp gap from above: its program, supersolutions, and the penalty that they make.

Proofs: docs/theory.md, "The sharp gap".
"""
