"""Benchmarks: repeatable, medians, never a test. ``python -m benchmarks`` runs them all."""
