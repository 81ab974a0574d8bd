"""What a viewer may do to a dark clip before asking: light it up, the whole clip alike.

Both take float [B, 3, T, h, w] in [0, 1] and give the same shape and range. A frame on its own would
flicker, so there is one curve for all frames of a clip.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from har_demo.clips.transforms import standardised

BRIGHTNESS = 0.4  # which gamma aims at
LEVELS = 256


def gamma(x: Tensor) -> Tensor:
    """Each clip to the power that brings its mean brightness b to BRIGHTNESS: log BRIGHTNESS / log b.

    >>> gamma(torch.full((1, 3, 1, 2, 2), 0.1)).mean().item()
    0.4
    """
    mean = x.mean(dim=(1, 2, 3, 4), keepdim=True).clamp(1 / LEVELS, 1 - 1 / LEVELS)
    return x ** (math.log(BRIGHTNESS) / mean.log())


def equalised(x: Tensor) -> Tensor:
    """Histogram equalisation: all shades of grey occur about equally often in each clip.

    A pixel's brightness, the mean of its colours, becomes the share of the clip's pixels that are darker,
    half of its equals counted; its colours keep their proportions unless one would pass 1.
    """
    grey = x.mean(dim=1)
    level = (grey * (LEVELS - 1)).round().long().flatten(1)
    counts = torch.zeros(len(x), LEVELS, device=x.device)
    counts.scatter_add_(1, level, torch.ones_like(level, dtype=counts.dtype))
    darker = (counts.cumsum(1) - counts / 2) / level.shape[1]
    wanted = darker.gather(1, level).view_as(grey)
    return (x * (wanted / grey.clamp(min=1 / LEVELS))[:, None]).clamp(max=1)


class Relit(nn.Module):
    """A network whose clips are lit up first: float [B, 3, T, h, w] in [0, 1] → logits [B, classes].

    Args:
        network: of standardised views.
        light: `gamma` or `equalised`.
    """

    def __init__(self, network: nn.Module, light: Callable[[Tensor], Tensor]):
        super().__init__()
        self.network = network
        self.light = light

    def forward(self, x: Tensor) -> Tensor:
        return self.network(standardised(self.light(x)))
