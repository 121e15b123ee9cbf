"""The least constant K*(γ) of a bound that is linear in mean-KL: theorems for γ ≥ γ_0, and both ends at one discount.

`half_line` proves a constant for γ ≥ γ_0 with a supersolution in closed form, `supersolution` for an interval of discounts with
a piecewise linear one that `search` finds; `witness` finds finite MDPs that need nearly as much. Proofs: docs/theory.md, "The
linear mean-KL theorems" and "The least linear constant".
"""
