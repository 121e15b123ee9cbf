"""One small problem in compiled code, `Dual(compiled=True)`: what NumPy does in some 600 calls of a microsecond each.

The same formulas, for rows that are ordinary: visited, all of whose actions old takes, one of which is better than another.
For anything else a function of `calls` returns None, and what it stands for goes on without it. The extra [fast].
"""
