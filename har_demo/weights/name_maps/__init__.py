"""How public files name the parameters of networks that are written here under other names.

One module for each file of har_demo/models, with a MAPS of its own: name of a card → map. A map takes a
state dict under the public names and gives it under ours. Names it does not know stay as they are, so
that what does not fit is reported by the name the file has for it, and our own names pass unchanged;
where several publishers name the same network, one map knows the names of all of them.
"""

import importlib
import pkgutil
from collections.abc import Callable

from torch import Tensor

from .rename import State

MAPS: dict[str, Callable[[State], dict[str, Tensor]]] = {}
"""By the name of the card."""

for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    MAPS |= getattr(_module, "MAPS", {})
