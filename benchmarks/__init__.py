"""Measured claims: each module runs alone and gives rows for docs/benchmarks.md."""
