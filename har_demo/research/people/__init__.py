"""Rendered people: skeletons that act, and clips of them."""
