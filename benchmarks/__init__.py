"""Measured comparisons, each a command: `python -m benchmarks.<name>`; figures go to reports/benchmarks/."""
