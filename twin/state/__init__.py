"""Nouns: every mutable number, in flat arrays, each declared once with its unit."""
