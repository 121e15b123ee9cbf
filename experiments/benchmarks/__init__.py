"""Benchmarks: each prints ratios measured in one run, after checking that both sides agree."""
