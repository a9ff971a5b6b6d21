"""Proof: gradients, parity, measured results, benchmarks."""
