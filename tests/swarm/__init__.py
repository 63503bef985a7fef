"""Random factories, random trouble, random travels in time: everything must agree. See ``tests/swarm/story.py``."""
