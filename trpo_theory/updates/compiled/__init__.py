"""One small problem in compiled code, `Dual(compiled=True)`: what NumPy does in some 600 calls of a microsecond each.

The same formulas, where old takes the best action of each state, however rarely. For anything else a function of `calls` returns
None, and what it stands for goes on without it. The extra [fast].
"""
