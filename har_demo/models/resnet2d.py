"""The small image network that the tiny sizes of all 2D systems share, so that they compare.

A residual network (He et al., CVPR 2016) of ten layers: one basic block a stage, half of the usual
width, and no max-pool after the stem, because frames of 112 × 112 are small already.

    layer                       output for 3 × 112 × 112
    stem    7×7, stride 2        32 × 56 × 56
    layer1  one block            32 × 56 × 56
    layer2  one block            64 × 28 × 28
    layer3  one block           128 × 14 × 14
    layer4  one block           256 ×  7 ×  7

It sees one image at a time and returns a map of features; what to do with the maps of several
frames (average them, remember them, relate them) is the idea of the systems built on it. 1,230,240
parameters, 0.207 GMACs a frame.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two 3×3 convolutions and a shortcut: [N, inputs, h, w] → [N, outputs, h/stride, w/stride].

    The first convolution is `conv1`, as in torchvision's blocks: what belongs at the start of the
    residual branch can be put before it.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class Stem(nn.Module):
    """7×7 at half resolution, batch norm, ReLU: [N, inputs, H, W] → [N, outputs, H/2, W/2]."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class ResNet2D(nn.Module):
    """float [N, inputs, H, W] → float [N, channels, H/16, W/16], a map of features.

    Args:
        inputs: channels of the image: 3 for a frame, more for frames or flow stacked as channels.

    Attributes:
        channels: of the map, 256.

    >>> ResNet2D()(torch.zeros(8, 3, 112, 112)).shape
    torch.Size([8, 256, 7, 7])
    """

    channels = 256

    def __init__(self, inputs: int = 3):
        super().__init__()
        self.stem = Stem(inputs, 32)
        self.layer1 = Block(32, 32)
        self.layer2 = Block(32, 64, stride=2)
        self.layer3 = Block(64, 128, stride=2)
        self.layer4 = Block(128, self.channels, stride=2)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        return self.layer4(x)


def initialise(network: nn.Module) -> None:
    """Draw the filters so that a signal keeps its size through convolutions and ReLUs."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def frame_by_frame(network: Callable[[Tensor], Tensor], clip: Tensor) -> Tensor:
    """Apply a network of images to every frame of a clip by itself.

    Args:
        network: [N, C, H, W] → [N, ...]
        clip: [B, C, T, H, W]

    Returns:
        [B, T, ...]

    >>> frame_by_frame(ResNet2D(), torch.zeros(2, 3, 8, 112, 112)).shape
    torch.Size([2, 8, 256, 7, 7])
    """
    frames = clip.transpose(1, 2).flatten(0, 1)
    return network(frames).unflatten(0, (clip.shape[0], clip.shape[2]))


def pooled_resnet2d() -> nn.Sequential:
    """The network, then the mean of its map: [N, 3, H, W] → [N, 256], one vector a frame."""
    return nn.Sequential(ResNet2D(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
