"""MARS: a network of RGB frames taught to see what one of optical flow sees (Crasto et al., CVPR 2019).

Two-stream networks gain from flow, and pay for it: computing flow takes longer than recognising. MARS
pays only while training. A network of flow is trained first and frozen. Then one of RGB frames learns
the classes and, at the same time, to give the same features as the flow network gives for the same
clip, compared after the last pool (`mars_loss`, equation 2 of the paper):

    loss = cross-entropy + α · mean of (features of MARS − features of the flow network)²,  α = 50

When it is used, flow is no longer needed. MERS (`mers_loss`) is the same with the second term alone;
its classifier is trained afterwards, on features that stand still.

Both networks are a ResNeXt-101 (32×4d) of 3D convolutions, after Hara et al. (CVPR 2018):

    layer                                         output for 3 × 16 × 112 × 112
    conv1    7×7×7, space by 2                      64 × 16 × 56 × 56
    maxpool  3×3×3, time and space by 2             64 ×  8 × 28 × 28
    layer1    3 blocks, 128 channels inside        256 ×  8 × 28 × 28
    layer2    4 blocks, 256                        512 ×  4 × 14 × 14
    layer3   23 blocks, 512                       1024 ×  2 ×  7 ×  7
    layer4    3 blocks, 1024                      2048 ×  1 ×  4 ×  4
    mean over time and space                      2048          the features
    fc                                            classes

The max-pool after conv1, which torchvision's 3D ResNets do without, makes it cheap: a hundred layers at
a quarter of what the eighteen of R3D-18 cost.

The lecture's table files MARS under two-stream networks with 73.5 % on Mini-Kinetics. By itself it
reads RGB alone; its scores may be averaged with those of a plain RGB network, and of flow.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source
from har_demo.models.key_map import KeyMap, State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.tiny import TINY_FLOW, TINY_INPUT


class Block(nn.Module):
    """1×1×1, 3×3×3 in `groups` that do not see each other, 1×1×1, and a shortcut around them.

    Args:
        inputs: channels that come in.
        middle: channels inside; twice as many go out.
        groups: of the convolution in the middle, the paper's cardinality.
        stride: of time and space alike.
    """

    def __init__(self, inputs: int, middle: int, groups: int, stride: int = 1):
        super().__init__()
        outputs = 2 * middle
        self.conv1 = nn.Conv3d(inputs, middle, 1, bias=False)
        self.norm1 = nn.BatchNorm3d(middle)
        self.conv2 = nn.Conv3d(
            middle, middle, 3, stride=stride, padding=1, groups=groups, bias=False
        )
        self.norm2 = nn.BatchNorm3d(middle)
        self.conv3 = nn.Conv3d(middle, outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm3d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm3d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        return F.relu(y + self.shortcut(x))


class ResNeXt3D(nn.Module):
    """float [B, channels, T, H, W] → logits [B, classes]; any T and size, as it ends in a mean.

    Args:
        classes: number of outputs.
        channels: 3 for RGB, 2 for optical flow.
        stem: channels of conv1.
        width: channels inside layer1's blocks; the later layers have 2, 4 and 8 times as many.
        blocks: residual blocks per layer; (3, 4, 23, 3) makes the 101-layer network.
        groups: of every 3×3×3 convolution.

    >>> ResNeXt3D(400)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        stem: int = 64,
        width: int = 128,
        blocks: tuple[int, int, int, int] = (3, 4, 23, 3),
        groups: int = 32,
    ):
        super().__init__()

        def layer(inputs: int, middle: int, count: int, stride: int) -> nn.Sequential:
            first = Block(inputs, middle, groups, stride)
            others = (Block(2 * middle, middle, groups) for _ in range(count - 1))
            return nn.Sequential(first, *others)

        self.conv1 = nn.Conv3d(channels, stem, 7, stride=(1, 2, 2), padding=3, bias=False)
        self.norm1 = nn.BatchNorm3d(stem)
        self.layer1 = layer(stem, width, blocks[0], stride=1)
        self.layer2 = layer(2 * width, 2 * width, blocks[1], stride=2)
        self.layer3 = layer(4 * width, 4 * width, blocks[2], stride=2)
        self.layer4 = layer(8 * width, 8 * width, blocks[3], stride=2)
        self.fc = nn.Linear(16 * width, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """float [B, channels, T, H, W] → float [B, 16 × width]: what MARS and flow are compared by."""
        x = F.relu(self.norm1(self.conv1(x)))
        x = F.max_pool3d(x, 3, stride=2, padding=1)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return x.mean(dim=(2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


def mars_loss(
    student: ResNeXt3D,
    teacher: ResNeXt3D,
    rgb: Tensor,
    flow: Tensor,
    labels: Tensor,
    alpha: float = 50.0,
    smoothing: float = 0.0,
) -> Tensor:
    """Loss of MARS: cross-entropy, and α times the squared distance of the features.

    Args:
        student: the network of RGB frames that learns.
        teacher: the trained network of flow, in eval mode; it is left as it is.
        rgb, flow: the same clips, float [B, 3, T, H, W] and [B, 2, T, H, W].
        labels: int64 [B].
        alpha: weight of the features; 0 leaves an ordinary network of RGB frames.
        smoothing: of the labels; the authors' was 0.
    """
    features = student.features(rgb)
    with torch.no_grad():
        wanted = teacher.features(flow)
    answer = F.cross_entropy(student.fc(features), labels, label_smoothing=smoothing)
    return answer + alpha * F.mse_loss(features, wanted)


def mers_loss(student: ResNeXt3D, teacher: ResNeXt3D, rgb: Tensor, flow: Tensor) -> Tensor:
    """The squared distance of the features alone. It teaches `student.fc` nothing: train that next."""
    with torch.no_grad():
        wanted = teacher.features(flow)
    return F.mse_loss(student.features(rgb), wanted)


def mars(classes: int) -> ResNeXt3D:
    """ResNeXt-101 (32×4d) of RGB frames: 48,340,816 parameters for Kinetics-400."""
    return ResNeXt3D(classes)


def mars_flow(classes: int) -> ResNeXt3D:
    """The same of optical flow: 48,318,864 parameters."""
    return ResNeXt3D(classes, channels=2)


def mars_tiny(classes: int) -> ResNeXt3D:
    """Eight blocks at three eighths of the width, in groups of four channels at first, as in the paper's."""
    return ResNeXt3D(classes, stem=32, width=48, blocks=(2, 2, 2, 2), groups=12)


def mars_flow_tiny(classes: int) -> ResNeXt3D:
    """The flow network that teaches `mars_tiny`."""
    return ResNeXt3D(classes, channels=2, stem=32, width=48, blocks=(2, 2, 2, 2), groups=12)


_MARS: dict[str, Any] = {
    "family": "Two-stream",
    "year": 2019,
    "paper": "Crasto et al., MARS: Motion-Augmented RGB Stream for Action Recognition, CVPR 2019",
    "paper_url": "https://openaccess.thecvf.com/content_CVPR_2019/html/"
    "Crasto_MARS_Motion-Augmented_RGB_Stream_for_Action_Recognition_CVPR_2019_paper.html",
}
_PAPER: dict[str, Any] = {"size": "paper", "label_set": "Kinetics-400", "classes": KINETICS400}
_TINY: dict[str, Any] = {"size": "tiny", "label_set": LABEL_SET, "classes": EVERYDAY}
_COUNTED = "craston/MARS's code"

# The authors' test: the short side made 112, ActivityNet's mean taken off values from 0 to 255.
_INPUT = ModelInput(
    frames=16,
    fps=25.0,
    resize=112,
    crop=(112, 112),
    mean=(114.7748 / 255, 107.7354 / 255, 99.4750 / 255),
    std=(1 / 255, 1 / 255, 1 / 255),
)

KEY_MAP = key_map((r"(^|\.)bn([123])\.", r"\1norm\2."), (r"\.downsample\.", ".shortcut."))
"""craston/MARS says bn for a norm and downsample for the shortcut, as most ResNets do."""


def flow_key_map(state: State) -> dict[str, Tensor]:
    """The same for the flow network, which the authors feed −127.5 to 127.5 where −1 to 1 is given here.

    The factor goes into the first convolution.
    """
    ours = KEY_MAP(state)
    if "bn1.weight" in state and "conv1.weight" in ours:
        ours["conv1.weight"] = ours["conv1.weight"] * 127.5
    return ours


def _by_hand(
    file: str, parameters: int, key_map: KeyMap = KEY_MAP, *accuracy: Accuracy
) -> tuple[Source, ...]:
    """A file of the authors on Google Drive."""
    return (
        Source(
            url="https://github.com/craston/MARS",
            sha256="",
            bytes=parameters * 4,  # unverified: the size of its parameters alone
            licence="MIT (craston/MARS)",
            name="craston",
            key_map=key_map,
            accuracy=accuracy,
            file=file,
        ),
    )


_MARS_64 = Accuracy("Kinetics-400", 72.7, None, "no pre-training", "craston/MARS, README's source")


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="mars",
        title="MARS (16 frames)",
        chapter="streams",
        idea="Reads RGB frames alone, but was trained to give the same features as a network of optical "
        "flow gives: motion is learned, and flow need not be computed any more.",
        input=_INPUT,
        build=mars,
        by_hand=_by_hand("MARS_Kinetics_16f.pth", 48_340_816),
        parameters=48_340_816,
        gmacs=9.568,
        published=(PublishedCost(_COUNTED, "verified", parameters=48_340_816, gmacs=9.568),),
        note="The authors' weights are on Google Drive alone (RGB_, Flow_ and MARS_Kinetics_16f.pth); "
        "such a file fits, should you have it.",
        **_PAPER,
        **_MARS,
    ),
    ModelCard(
        name="mars_64",
        title="MARS (64 frames)",
        idea="The same network on clips four times as long, at four times the cost: most actions take "
        "longer than 16 frames, which are over in two thirds of a second.",
        input=replace(_INPUT, frames=64),
        build=mars,
        by_hand=_by_hand("MARS_Kinetics_64f.pth", 48_340_816, KEY_MAP, _MARS_64),
        parameters=48_340_816,
        gmacs=38.268,
        accuracy=(
            _MARS_64,
            Accuracy(
                "Mini-Kinetics-200",
                73.5,
                None,
                "frames and fusion not stated",
                "lecture, PNL table",
            ),
        ),
        published=(PublishedCost(_COUNTED, "verified", parameters=48_340_816, gmacs=38.268),),
        note="The authors' weights are on Google Drive alone (MARS_Kinetics_64f.pth and others); "
        "such a file fits, should you have it.",
        **_PAPER,
        **_MARS,
    ),
    ModelCard(
        name="mars_flow",
        title="MARS's flow network",
        idea="The teacher of MARS: the same 3D ResNeXt, fed with optical flow, whose features the "
        "network of RGB frames learns to imitate.",
        input=replace(_INPUT, modality="flow", flow_frames=16),
        build=mars_flow,
        by_hand=_by_hand("Flow_Kinetics_16f.pth", 48_318_864, flow_key_map),
        parameters=48_318_864,
        gmacs=8.466,
        published=(PublishedCost(_COUNTED, "verified", parameters=48_318_864, gmacs=8.466),),
        note="The authors' weights are on Google Drive alone (Flow_Kinetics_16f.pth); such a file fits, should "
        "you have it.",
        **_PAPER,
        **_MARS,
    ),
    ModelCard(
        name="mars_lab",
        title="MARS (tiny)",
        chapter="streams",
        tiny_of="mars",
        idea="A small 3D ResNeXt that reads frames and learns, beside the classes, the features that its "
        "flow twin gives for the same clip.",
        input=TINY_INPUT,
        build=mars_tiny,
        parameters=2_718_919,
        gmacs=2.099,
        note="Trained with the cross-entropy alone it is an ordinary network: mars_loss with the trained "
        "mars_flow_lab makes it MARS.",
        **_TINY,
        **_MARS,
    ),
    ModelCard(
        name="mars_flow_lab",
        title="MARS's flow network (tiny)",
        tiny_of="mars_flow",
        idea="The small teacher: it sees nothing but how far each point moves from frame to frame.",
        input=TINY_FLOW,
        build=mars_flow_tiny,
        parameters=2_707_943,
        gmacs=1.548,
        **_TINY,
        **_MARS,
    ),
)
