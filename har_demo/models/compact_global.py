"""Three ways to let each position of a ResNet-50 know of all others, from dear to nearly free.

Non-local (Wang et al., CVPR 2018) compares every position with every other: with N positions, N²
pairs. Two later papers get the whole clip into every position with a cost that grows with N alone:

CGNL, the compact generalised non-local block (Yue et al., NeurIPS 2018), compares not positions but
all pairs of (channel, position), inside groups of channels. With the dot product as the function of
a pair, the sum over pairs (c', j) can be taken first, and the table of pairs is never built:

    y_ci = Σ_c'j θ_ci φ_c'j g_c'j = θ_ci (φᵀ g)        one number φᵀ g for a whole group

    θ, φ, g   1×1×1 to C/2 channels, in 8 groups
    z         1×1×1 back to C, in the same groups; group norm, whose γ and β start at 0; plus x

CGD, the compact global descriptor (He et al., arXiv 1907.09665), takes mean and maximum over all
positions, two vectors of C channels, and mixes them in three steps into one gate per channel:

    ψ = tanh(softmax(mean) meanᵀ w  + b )
    φ = tanh(softmax(mean) maxᵀ  w' + b')
    x (1 + tanh(ψ φᵀ w'' + b''))

Both are published as code for images. Here they sit where that code puts them, in torchvision's
ResNet-50, whose layers see one frame at a time; but they themselves see float [B, C, T, H, W], so
that they join all frames of a clip. With T = 1 they are the published networks:

    stem, layer1, layer2         each frame by itself      CGD: behind conv1 of all 16 bottlenecks
    layer3, before its last      1024 × T × 14 × 14        NL or CGNL: one block
    layer4                       2048 × T × 7 × 7
    mean over time and space, fc

What the lecture prints in the table of PNL as Res50-NL, -CGD and -CGNL (27.66, 25.58 and 27.2 M
parameters) are the networks for ImageNet's 1000 classes: with the 200 of Mini-Kinetics they are
1.64 M smaller. Its multiply-adds, 17.88 to 19.67 G, fit a clip of four frames in what a block adds
(784 positions), but nothing that was counted has their common 17.88 G.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet50

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.attention import AttentionMap, flat_positions, grid_of
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost
from har_demo.models.label_sets import KINETICS400
from har_demo.models.non_local import NonLocal
from har_demo.models.resnet2d import ResNet2D, frame_by_frame
from har_demo.models.tiny import TINY_DIFFERENCE


class CGNL(nn.Module):
    """Compact generalised non-local block: float [B, C, T, H, W] → the same; at first the identity.

    The group norm has the groups of z, so it divides the size of φᵀ g out again, and of that number
    only the sign reaches the output. That is how the authors' code has it, and it is kept.

    Args:
        channels: C.
        groups: of channels that are related among themselves only.

    >>> CGNL(1024)(torch.zeros(1, 1024, 8, 14, 14)).shape
    torch.Size([1, 1024, 8, 14, 14])
    """

    kind = "compact generalised non-local"

    def __init__(self, channels: int, groups: int = 8):
        super().__init__()
        self.groups = groups
        self.theta = nn.Conv3d(channels, channels // 2, 1, bias=False)
        self.phi = nn.Conv3d(channels, channels // 2, 1, bias=False)
        self.g = nn.Conv3d(channels, channels // 2, 1, bias=False)
        self.z = nn.Conv3d(channels // 2, channels, 1, groups=groups, bias=False)
        self.norm = nn.GroupNorm(groups, channels)
        for conv in (self.theta, self.phi, self.g, self.z):
            nn.init.normal_(conv.weight, std=0.01)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        theta, phi, g = (self.grouped(conv(x)) for conv in (self.theta, self.phi, self.g))
        y = theta * (phi * g).sum(dim=(2, 3), keepdim=True)
        y = y.flatten(1, 2).unflatten(2, x.shape[2:])
        return x + self.norm(self.z(y))

    def grouped(self, features: Tensor) -> Tensor:
        """[B, C/2, T, H, W] → [B, groups, channels of a group, T·H·W]."""
        return features.flatten(2).unflatten(1, (self.groups, -1))

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """One map, with a head for each of the C/2 channels that answer.

        A pair is of (channel, position) with (channel, position). Channels that ask differ in their
        row by the factor θ_ci alone, so one row stands for all of a group, with the mean of their
        θ. Head c' holds what position i takes from position j of channel c' of g, positive or not;
        summed over the positions j and over the heads of a group, it gives the mean of y_i over the
        group.
        """
        grid = grid_of(x)
        queries = flat_positions(at, grid).to(x.device)
        theta = self.grouped(self.theta(x)).mean(dim=2, keepdim=True)[..., queries]
        phi = self.grouped(self.phi(x))
        weights = theta[..., None] * phi[:, :, :, None, :]
        return (AttentionMap(weights.flatten(1, 2), queries, grid, grid),)


class CGD(nn.Module):
    """Compact global descriptor: a gate per channel; float [B, C, T, H, W] → the same.

    >>> CGD(64)(torch.zeros(1, 64, 8, 56, 56)).shape
    torch.Size([1, 64, 8, 56, 56])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.w_mean, self.w_max, self.w = (self.vector(channels) for _ in range(3))
        self.b_mean, self.b_max, self.b = (nn.Parameter(torch.zeros(channels)) for _ in range(3))

    @staticmethod
    def vector(channels: int) -> nn.Parameter:
        """A w, drawn as the authors do for a layer from C to 1."""
        return nn.Parameter(nn.init.xavier_uniform_(torch.empty(channels, 1))[:, 0])

    def forward(self, x: Tensor) -> Tensor:
        mean, most = x.mean(dim=(2, 3, 4)), x.amax(dim=(2, 3, 4))
        share = mean.softmax(dim=1)
        # (a bᵀ) w = a (bᵀ w): a number a clip, and no C×C matrix.
        psi = torch.tanh(share * (mean @ self.w_mean)[:, None] + self.b_mean)
        phi = torch.tanh(share * (most @ self.w_max)[:, None] + self.b_max)
        gate = torch.tanh(psi * (phi @ self.w)[:, None] + self.b)
        return x * (1 + gate)[:, :, None, None, None]


class EachFrame(nn.Module):
    """A layer for images, on every frame of a clip: [B, C, T, H, W] → [B, C', T, H', W']."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, clip: Tensor) -> Tensor:
        return frame_by_frame(self.layer, clip).transpose(1, 2)


def each_frame(network: nn.Module) -> Any:
    """The same network with every layer for images made one for clips, in place.

    Its layers are then of other types than its class declares, so Any.
    """
    for name, child in network.named_children():
        if isinstance(child, nn.Conv2d | nn.BatchNorm2d | nn.MaxPool2d):
            setattr(network, name, EachFrame(child))
        else:
            each_frame(child)
    return network


def resnet50_of_clips(classes: int) -> ResNet:
    """torchvision's ResNet-50 on every frame, and the mean of all: [B, 3, T, H, W] → logits.

    >>> resnet50_of_clips(400)(torch.zeros(1, 3, 8, 224, 224)).shape
    torch.Size([1, 400])
    """
    network = each_frame(resnet50(num_classes=classes))
    network.avgpool = nn.AdaptiveAvgPool3d(1)
    return network


def res50_nl(classes: int) -> ResNet:
    """One non-local block before the last block of res4."""
    network = resnet50_of_clips(classes)
    network.layer3.insert(5, NonLocal(1024, scale=True, bias=False))
    return network


def res50_cgnl(classes: int) -> ResNet:
    """One CGNL block before the last block of res4."""
    network = resnet50_of_clips(classes)
    network.layer3.insert(5, CGNL(1024))
    return network


def res50_cgd(classes: int) -> ResNet:
    """A descriptor between conv1 and the batch norm of each bottleneck."""
    network = resnet50_of_clips(classes)
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        for block in stage:
            block.conv1 = describe(block.conv1)
    return network


def describe(conv: EachFrame) -> nn.Sequential:
    """The convolution with a descriptor behind it."""
    assert isinstance(conv.layer, nn.Conv2d)
    return nn.Sequential(conv, CGD(conv.layer.out_channels))


def tiny_head(features: nn.Module, classes: int) -> nn.Sequential:
    """Mean of the tiny image network's features over all frames, then the classes."""
    return nn.Sequential(
        features,
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(ResNet2D.channels, classes),
    )


def cgnl_tiny(classes: int) -> nn.Sequential:
    """The tiny image network with a CGNL block at 14 × 14, as in the paper."""
    features = each_frame(ResNet2D())
    features.layer3 = nn.Sequential(features.layer3, CGNL(128))
    return tiny_head(features, classes)


def cgd_tiny(classes: int) -> nn.Sequential:
    """The tiny image network with a descriptor behind the first convolution of every block."""
    features = each_frame(ResNet2D())
    for block in (features.layer1, features.layer2, features.layer3, features.layer4):
        block.conv1 = describe(block.conv1)
    return tiny_head(features, classes)


_NL: dict[str, Any] = {
    "year": 2018,
    "paper": "Wang et al., Non-local Neural Networks, CVPR 2018",
    "paper_url": "https://arxiv.org/abs/1711.07971",
}
_CGNL: dict[str, Any] = {
    "year": 2018,
    "paper": "Yue et al., Compact Generalized Non-local Network, NeurIPS 2018",
    "paper_url": "https://arxiv.org/abs/1810.13125",
}
_CGD: dict[str, Any] = {
    "year": 2019,
    "paper": "He et al., Compact Global Descriptor for Neural Networks, arXiv 2019",
    "paper_url": "https://arxiv.org/abs/1907.09665",
}
_CGNL_CODE = "KaiyuYue/cgnl-network.pytorch's code"
_CGD_CODE = "HolmesShuan/Compact-Global-Descriptor's code"
_LECTURE = "lecture, PNL table"

INPUT = ModelInput(
    frames=8,
    fps=3.75,  # every eighth frame of 30 a second, as the non-local networks take them
    resize=256,
    crop=(224, 224),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)


def _paper(**words) -> ModelCard:
    return ModelCard(
        family="Long-range dependencies",
        size="paper",
        input=INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        **words,
    )


def _tiny(**words) -> ModelCard:
    return ModelCard(
        family="Long-range dependencies",
        size="tiny",
        input=replace(TINY_DIFFERENCE, frames=8, fps=4.0),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        **words,
    )


def _counted(code: str, parameters: int, gmacs: float) -> PublishedCost:
    """By running the authors' code on one image, with ImageNet's classes."""
    return PublishedCost(code, "verified", parameters, gmacs, classes=1000, frames=1)


def _printed(parameters: float, gmacs: float) -> PublishedCost:
    """In the lecture: parameters for ImageNet's classes, multiply-adds of an unstated view."""
    return PublishedCost(_LECTURE, "printed", parameters, gmacs, classes=1000)


def _accuracy(top1: float) -> tuple[Accuracy, ...]:
    return (Accuracy("Mini-Kinetics-200", top1, None, "not stated", _LECTURE),)


_FOR_IMAGES = (
    "The public code and weights are for single images; here the block sees all frames of a clip, "
    "and eight frames were chosen as for the non-local networks. No weights for video are public."
)

CARDS: tuple[ModelCard, ...] = (
    _paper(
        name="res50_nl",
        title="Res50-NL",
        **_NL,
        idea="One non-local block in an image network: every position of every frame is compared "
        "with every other, which costs the square of their number.",
        build=res50_nl,
        attends=True,
        parameters=26_428_368,
        gmacs=38.504,
        published=(_counted(_CGNL_CODE, 27_656_232, 4.540), _printed(27.66e6, 19.67)),
        accuracy=_accuracy(77.53),
        note=_FOR_IMAGES
        + " Its θ, φ and g have biases, as in the non-local paper; the code that was "
        "counted has none, and so 1,536 parameters fewer.",
    ),
    _paper(
        name="res50_cgnl",
        title="Res50-CGNL",
        chapter="far",
        **_CGNL,
        idea="A non-local block over pairs of channels and positions, ordered so that the sum over "
        "all pairs comes first: its cost grows with the positions, not with their square.",
        build=res50_cgnl,
        attends=True,
        parameters=25_968_080,
        gmacs=35.267,
        published=(_counted(_CGNL_CODE, 27_197_480, 4.411), _printed(27.2e6, 19.16)),
        accuracy=_accuracy(77.76),
        note=_FOR_IMAGES,
    ),
    _paper(
        name="res50_cgd",
        title="Res50-CGD",
        chapter="far",
        **_CGD,
        idea="Sums a clip up in its mean and its maximum per channel, and opens or closes every "
        "channel by them: the whole clip's view for almost nothing.",
        build=res50_cgd,
        parameters=24_350_288,
        gmacs=32.698,
        published=(_counted(_CGD_CODE, 25_579_688, 4.089), _printed(25.58e6, 17.88)),
        accuracy=_accuracy(77.56),
        note=_FOR_IMAGES.replace("the block sees", "every descriptor sees"),
    ),
    _tiny(
        name="cgnl_lab",
        title="CGNL (tiny)",
        chapter="far",
        tiny_of="res50_cgnl",
        **_CGNL,
        idea="A small image network of the changes from frame to frame, which meet once, in a compact "
        "non-local block before the last stage, and after that only in the mean.",
        build=cgnl_tiny,
        attends=True,
        parameters=1_266_119,
        gmacs=1.6996,
    ),
    _tiny(
        name="cgd_lab",
        title="CGD (tiny)",
        chapter="far",
        tiny_of="res50_cgd",
        **_CGD,
        idea="A small image network of the changes from frame to frame, in which every block opens and "
        "closes its channels by what the whole clip shows on average and at most.",
        build=cgd_tiny,
        parameters=1_243_143,
        gmacs=1.6594,
    ),
)
