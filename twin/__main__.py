"""``python -m twin``."""

from twin.cli.main import entry

entry()
