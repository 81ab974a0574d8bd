"""Where a network's parameters come from: the user's file, the shipped checkpoints, the public hub."""

from .loading import Availability, availability, health, load

__all__ = ["Availability", "availability", "health", "load"]
