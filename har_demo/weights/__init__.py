"""Where a network's parameters come from: the user's file, the shipped checkpoints, the public hub."""

from .loading import Availability, Provenance, availability, load
from .shipped import accuracies

__all__ = ["Availability", "Provenance", "accuracies", "availability", "load"]
