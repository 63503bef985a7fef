"""Panels: a pure function from a frame to rows of text, and a thin widget around it."""
