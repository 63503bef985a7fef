"""Views of the frame, and the menus that open over it."""
