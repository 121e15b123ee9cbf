"""`python -m experiments.shipped_witnesses` makes `trpo_theory/search/sharp_witnesses.npz`, the same to rounding each time.

Some twenty minutes of two cores.
"""
