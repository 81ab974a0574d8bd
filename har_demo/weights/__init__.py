"""Sources of a network's parameters: the user's file, shipped checkpoints, packages on the index, public files."""

from .loading import Availability, Provenance, availability, load
from .shipped import accuracies

__all__ = ["Availability", "Provenance", "accuracies", "availability", "load"]
