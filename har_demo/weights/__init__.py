"""Where a network's parameters come from: the user's file, the shipped checkpoints, the public hub."""

from .accuracy import accuracies
from .loading import Availability, availability, load

__all__ = ["Availability", "accuracies", "availability", "load"]
