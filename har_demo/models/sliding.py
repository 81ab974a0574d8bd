"""The mean before the last layer, over all of the picture or over one square of it after another.

Networks are trained on crops of 224 pixels and tested on 256: their last features are 8 × 8 where they
were 7 × 7. Most publishers take one mean over all of them. PySlowFast, and pytorchvideo's networks tested
with it, slide a mean of 7 × 7 over them, score each of its four places, and average the probabilities:

    features 8 × 8  →  means of 7 × 7 at 2 × 2 places  →  4 scores  →  softmax each  →  mean

The places overlap, so that the middle of the picture counts four times and a corner once.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def scores(x: Tensor, head: Callable[[Tensor], Tensor], side: int | None) -> Tensor:
    """Return logits [B, classes] of features [B, C, T, H, W].

    Args:
        x: the last features; their mean over time is taken in any case.
        head: means [..., C] → logits [..., classes].
        side: of the square that a mean is taken over, in features; None for all of them. Where several
            squares fit, the logarithm of their probabilities' mean comes back, whose softmax is that mean.

    >>> scores(torch.zeros(2, 512, 4, 8, 8), nn.Linear(512, 400), side=7).shape
    torch.Size([2, 400])
    """
    if side is None or max(x.shape[3:]) <= side:
        return head(x.mean(dim=(2, 3, 4)))
    square = [min(side, length) for length in x.shape[3:]]
    squares = F.avg_pool2d(x.mean(dim=2), square, stride=1)
    by_place = head(squares.flatten(2).transpose(1, 2)).log_softmax(dim=-1)  # [B, places, classes]
    return torch.logsumexp(by_place, dim=1) - math.log(by_place.shape[1])


def with_sliding_mean(build: Callable[[int], nn.Module], side: int, classes: int) -> nn.Module:
    """Build a network whose attribute `side`, what it gives `scores`, is set."""
    network = build(classes)
    assert hasattr(network, "side"), type(network)
    network.side = side  # type: ignore[assignment]
    return network
