"""EfficientNet-Lite0 inflated: an image network whose filters are stretched over time.

I3D (Carreira and Zisserman, CVPR 2017) began not from random filters but from an image network's, copied
along time. This is the same with a smaller image network, the Lite0 variant of EfficientNet (Tan and Le,
ICML 2019), so that beginning from ImageNet can be compared with beginning from nothing. Not stretched, it
looks at each frame by itself and averages, as TSN does. It has no card: it stands in the ablations alone.

A block widens to six times its channels, looks around in each channel alone, and narrows again; a
shortcut leads around it where the shape stays. Only looking around is stretched, to three frames; before
the first and after the last frame it sees these once more, so that a still video gives the image's
features at every moment.

    layer     kernel    blocks    output for 3 × 16 × 112 × 112
    stem      1×3×3                32 × 16 × 56 × 56
    stage 1   3×3×3     1          16 × 16 × 56 × 56    not widened
    stage 2   3×3×3     2          24 × 16 × 28 × 28
    stage 3   3×5×5     2          40 × 16 × 14 × 14
    stage 4   3×3×3     3          80 × 16 ×  7 ×  7
    stage 5   3×5×5     3         112 × 16 ×  7 ×  7
    stage 6   3×5×5     4         192 × 16 ×  4 ×  4
    stage 7   3×3×3     1         320 × 16 ×  4 ×  4
    head      1×1×1              1280 × 16 ×  4 ×  4
    mean over time and space, fc    classes
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.models.i3d import inflate, pad_same

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel over space, stride of the first block, widening, channels that go out."""


class Unit(nn.Module):
    """Convolution, batch norm, ReLU6 if asked; over space with TensorFlow's padding, as its weights have it."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int = 1,
        time: Literal[1, 3] = 1,
        stride: int = 1,
        groups: int = 1,
        relu: bool = True,
    ):
        super().__init__()
        self.conv = nn.Conv3d(
            inputs, outputs, (time, size, size), (1, stride, stride), groups=groups, bias=False
        )
        self.norm = nn.BatchNorm3d(outputs, eps=1e-3)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        time, height, width = self.conv.kernel_size
        if time > 1:
            x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], dim=2)
        x = pad_same(x, (1, height, width), self.conv.stride)
        x = self.norm(self.conv(x))
        return F.relu6(x) if self.relu else x


class Block(nn.Module):
    """Widen, look around in each channel, narrow: float [B, inputs, T, H, W] → [B, outputs, T, h, w]."""

    def __init__(
        self, inputs: int, outputs: int, size: int, time: Literal[1, 3], stride: int, widening: int
    ):
        super().__init__()
        middle = inputs * widening
        self.widen = Unit(inputs, middle) if widening > 1 else nn.Identity()
        self.around = Unit(middle, middle, size, time, stride, groups=middle)
        self.narrow = Unit(middle, outputs, relu=False)
        self.shortcut = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.narrow(self.around(self.widen(x)))
        return x + y if self.shortcut else y


class InflatedLite0(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size.

    Args:
        classes: number of outputs.
        time: how many frames filters that look around see; 1 leaves the image network as it is.

    >>> InflatedLite0(400)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 400])
    """

    def __init__(self, classes: int, time: Literal[1, 3] = 3):
        super().__init__()
        layers: list[nn.Module] = [Unit(3, 32, 3, stride=2)]
        channels = 32
        for blocks, size, stride, widening, outputs in STAGES:
            for i in range(blocks):
                layers.append(Block(channels, outputs, size, time, 1 if i else stride, widening))
                channels = outputs
        self.trunk = nn.Sequential(*layers, Unit(channels, 1280))
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(1280, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                # By what comes in: PyTorch reckons what goes out as if there were no groups.
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.trunk(x).mean(dim=(2, 3, 4))))


def fill(trunk: nn.Sequential, image_state: Mapping[str, Tensor]) -> None:
    """Fill a trunk with an image network's parameters, its filters copied along time.

    Args:
        trunk: of InflatedLite0.
        image_state: EfficientNet-Lite0's parameters without its last layer, in the order of its layers,
            whatever their names.

    Raises:
        ValueError: they are not as many, or not of these shapes.
    """
    own = trunk.state_dict()
    filled = {}
    for (name, value), image in zip(own.items(), image_state.values(), strict=True):
        filled[name] = inflate(image, value.shape[2]) if image.ndim == 4 else image
        if filled[name].shape != value.shape:
            raise ValueError(f"{name} is {list(value.shape)}, not {list(filled[name].shape)}")
    trunk.load_state_dict(filled)
