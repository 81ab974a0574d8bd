"""Networks whose clips are lit up first, by models.light.gamma or by histogram equalisation."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from har_demo.clips.transforms import standardised
from har_demo.models.light import LEVELS


def equalised(x: Tensor) -> Tensor:
    """Histogram equalisation: all shades of grey occur about equally often in each clip.

    float [B, 3, T, h, w] in [0, 1] → the same shape and range; one curve for all frames, as gamma has.
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
