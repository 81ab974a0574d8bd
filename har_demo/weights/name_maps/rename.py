"""A rule book from public names to ours."""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

State = Mapping[str, Tensor]


def renamed(
    *rules: tuple[str, str], drop: tuple[str, ...] = ()
) -> Callable[[State], dict[str, Tensor]]:
    """A map that rewrites each name by all rules in turn, as regular expressions.

    Args:
        rules: (pattern, replacement) pairs.
        drop: patterns of public names that hold nothing we need, such as tables of indices.

    >>> renamed((r"^fc\\.", "head."), drop=(r"_index$",))({"fc.bias": b, "relative_index": i}).keys()
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
