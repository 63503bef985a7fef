"""A digital twin of an AI factory that lives in the terminal."""

__version__ = "0.1.0"
