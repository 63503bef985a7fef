"""Servers: one live factory for many terminals."""
