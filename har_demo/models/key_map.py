"""From the names that a public file gives its parameters to the names they have here.

A model file ends with the key maps of its public sources and then the cards that name them.
"""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

State = Mapping[str, Tensor]
"""Parameters and buffers by name, as nn.Module.state_dict() gives them."""

KeyMap = Callable[[State], dict[str, Tensor]]
"""Takes a state dict under public names and gives it under ours.

Names it does not know stay as they are, so that what does not fit is reported by the name the file has
for it, and our own names pass unchanged. Where several publishers name the same network, one map knows
the names of all of them.
"""

Rules = tuple[tuple[str, str], ...]
"""(pattern, replacement) pairs, applied in turn with re.sub."""


def key_map(*rules: tuple[str, str], drop: tuple[str, ...] = ()) -> KeyMap:
    """Return a map that rewrites each name by all rules in turn.

    Args:
        rules: regular expressions and their replacements.
        drop: patterns of public names that hold nothing we need, such as tables of indices.

    >>> key_map((r"^fc\\.", "head."), drop=(r"_index$",))({"fc.bias": b, "relative_index": i}).keys()
    dict_keys(['head.bias'])
    """

    def rename(state: State) -> dict[str, Tensor]:
        result = {}
        for name, tensor in state.items():
            if any(re.search(pattern, name) for pattern in drop):
                continue
            for pattern, replacement in rules:
                name = re.sub(pattern, replacement, name)
            result[name] = tensor
        return result

    return rename
