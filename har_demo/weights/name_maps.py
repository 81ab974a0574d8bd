"""How public files name the parameters of networks that are written here under other names.

A map takes a state dict under the public names and gives it under ours. Names it does not know stay
as they are, so that what does not fit is reported by the name the file has for it.
"""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

State = Mapping[str, Tensor]


def _renamed(*rules: tuple[str, str]) -> Callable[[State], dict[str, Tensor]]:
    """A map that rewrites each name by all rules in turn, as regular expressions."""

    def rename(state: State) -> dict[str, Tensor]:
        renamed = {}
        for name, tensor in state.items():
            for pattern, replacement in rules:
                name = re.sub(pattern, replacement, name)
            renamed[name] = tensor
        return renamed

    return rename


MAPS: dict[str, Callable[[State], dict[str, Tensor]]] = {
    # torchvision: layers are numbered inside nn.Sequential, the ReLUs between them included.
    "r2plus1d_18": _renamed(
        (r"^stem\.0\.", "stem.space."),
        (r"^stem\.1\.", "stem.norm1."),
        (r"^stem\.3\.", "stem.time."),
        (r"^stem\.4\.", "stem.norm2."),
        (r"\.conv([12])\.1\.", r".norm\1."),
        (r"\.conv([12])\.0\.0\.", r".conv\1.space."),
        (r"\.conv([12])\.0\.1\.", r".conv\1.norm."),
        (r"\.conv([12])\.0\.3\.", r".conv\1.time."),
        (r"\.downsample\.", ".shortcut."),
    ),
    # mmaction2: backbone and head apart, every convolution inside a module of its own.
    "c3d": _renamed(
        (r"^backbone\.(conv\d[ab])\.conv\.", r"\1."),
        (r"^backbone\.(fc[67])\.", r"\1."),
        (r"^cls_head\.fc_cls\.", "fc8."),
    ),
}
"""By the name of the card. Nothing in either file is dropped."""
