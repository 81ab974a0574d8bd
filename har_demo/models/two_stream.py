"""Two-stream networks: what a frame shows, and how things move (Simonyan and Zisserman, NIPS 2014).

One image network looks at a single frame. A second of the same kind looks at optical flow alone:
L = 10 fields in a row, their horizontal and vertical parts stacked into 2L = 20 channels. Both give
scores, and the scores are fused. Motion is not learned from frames but handed to the network.

    layer (CNN-M-2048)                      output for 3 (or 20) × 224 × 224
    conv1   7×7, stride 2, LRN               96 × 109 × 109
    pool    3×3, stride 2                    96 ×  54 ×  54
    conv2   5×5, stride 2, LRN              256 ×  26 ×  26    temporal: without LRN, to save memory
    pool    3×3, stride 2, rounded up       256 ×  13 ×  13
    conv3   conv4   conv5   3×3             512 ×  13 ×  13
    pool    3×3, stride 2                   512 ×   6 ×   6
    full6   dropout                        4096
    full7   dropout                        2048
    classes

The paper fuses by the mean of both softmax scores (`TwoStream`) or by a linear SVM on them
(`fit_svm`). Two relatives come with it: both streams with VGG-16, as in a widely used public code,
and the network that the I3D paper calls 3D-Fused, where the streams meet before the last layer
(`Fused3D`).

In the lecture this is "2D CNN: Temporal Information from Optical Flow". Its spatial stream has
73.0 % on UCF101 in one table, the mean of three splits as in the paper, and 72.6 % in C3D's.
"""

import math
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import GoogLeNet, vgg16

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source
from har_demo.models.key_map import KeyMap, State, key_map
from har_demo.models.label_sets import UCF101
from har_demo.models.resnet2d import ResNet2D, frame_by_frame
from har_demo.models.tiny import TINY_CHANGE, TINY_FLOW

if TYPE_CHECKING:
    from sklearn.svm import LinearSVC


class Stream(nn.Module):
    """An image network whose channels are the frames, or the fields of flow, of one view.

    float [B, 3, 1, H, W] or flow [B, 2, L, H, W] → logits [B, classes]

    Args:
        network: [B, channels × T, H, W] → logits. The channels of one moment stand side by side:
            x of the first field, its y, x of the second, and so on, as in the paper's equation 1.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.transpose(1, 2).flatten(1, 2))


class TemporalStream(Stream):
    """A stream of flow that takes each field's mean off: most of it is the camera's motion."""

    def forward(self, flow: Tensor) -> Tensor:
        return super().forward(flow - flow.mean(dim=(3, 4), keepdim=True))


class TwoStream(nn.Module):
    """RGB [B, 3, 1, H, W] and flow [B, 2, L, H, W] → log of the averaged scores [B, classes].

    The paper averages probabilities, not logits. But what a network returns is put through a
    softmax later on, so it returns their logarithm: the softmax of that is the average itself.
    """

    def __init__(self, spatial: nn.Module, temporal: nn.Module):
        super().__init__()
        self.spatial = spatial
        self.temporal = temporal

    def forward(self, rgb: Tensor, flow: Tensor) -> Tensor:
        logits = torch.stack([self.spatial(rgb), self.temporal(flow)])
        return logits.log_softmax(dim=-1).logsumexp(dim=0) - math.log(2)


def cnn_m_2048(
    inputs: int, classes: int, second_norm: bool = True, dropout: float = 0.5
) -> nn.Sequential:
    """CNN-M-2048 of Chatfield et al. (BMVC 2014): [N, inputs, 224, 224] → [N, classes].

    Args:
        inputs, classes: channels of the image, number of outputs.
        second_norm: normalise after conv2 as well.
        dropout: share of features dropped after full6 and full7 while training.
    """

    def norm() -> nn.Module:
        # AlexNet's: k = 2 and 10⁻⁴ for each of n = 5 neighbours; PyTorch divides alpha by n.
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Sequential(nn.Conv2d(inputs, 96, 7, stride=2), nn.ReLU(), norm(), pool()),
            conv2=nn.Sequential(
                nn.Conv2d(96, 256, 5, stride=2, padding=1),
                nn.ReLU(),
                norm() if second_norm else nn.Identity(),
                pool(),
            ),
            conv3=nn.Sequential(nn.Conv2d(256, 512, 3, padding=1), nn.ReLU()),
            conv4=nn.Sequential(nn.Conv2d(512, 512, 3, padding=1), nn.ReLU()),
            conv5=nn.Sequential(nn.Conv2d(512, 512, 3, padding=1), nn.ReLU(), pool()),
            flatten=nn.Flatten(),
            full6=nn.Sequential(nn.Linear(512 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(dropout)),
            full7=nn.Sequential(nn.Linear(4096, 2048), nn.ReLU(), nn.Dropout(dropout)),
            full8=nn.Linear(2048, classes),
        )
    )


def widened_vgg16(inputs: int, classes: int, dropout: tuple[float, float]) -> nn.Module:
    """torchvision's VGG-16 for other channels and classes, with dropout after fc6 and fc7."""
    network = vgg16(num_classes=classes)
    network.features[0] = nn.Conv2d(inputs, 64, 3, padding=1)
    network.classifier[2].p, network.classifier[5].p = dropout
    return network


def small_resnet(inputs: int, classes: int) -> nn.Sequential:
    """The image network that all tiny 2D systems share, and a last layer."""
    return nn.Sequential(
        ResNet2D(inputs),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(ResNet2D.channels, classes),
    )


def inception_v1(inputs: int) -> nn.Sequential:
    """torchvision's GoogLeNet up to its last map: [N, inputs, 224, 224] → [N, 1024, 7, 7]."""
    whole = GoogLeNet(aux_logits=False, init_weights=False)
    whole.conv1.conv = nn.Conv2d(inputs, 64, 7, stride=2, padding=3, bias=False)
    after = ("aux1", "aux2", "avgpool", "dropout", "fc")
    layers = ((name, layer) for name, layer in whole.named_children() if name not in after)
    return nn.Sequential(OrderedDict(layers))


class Fused3D(nn.Module):
    """The I3D paper's 3D-Fused: streams that meet before the end, in a convolution over time.

    RGB [B, 3, T, H, W] and flow [B, 2, 10 T, H, W] → logits [B, classes], T from 3 on

        Inception-v1 on each frame, another on the ten fields around it  1024 × 5 × 7 × 7 each
        both maps, one behind the other                                  2048 × 5 × 7 × 7
        3×3×3 convolution, batch norm, ReLU                               512 × 5 × 7 × 7
        3×3×3 max-pool, stride 3                                          512 × 1 × 2 × 2
        mean, fully connected                                            classes
    """

    def __init__(self, classes: int):
        super().__init__()
        self.spatial = inception_v1(3)
        self.temporal = inception_v1(20)
        self.fuse = nn.Conv3d(2048, 512, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(512)
        self.pool = nn.MaxPool3d(3)
        self.fc = nn.Linear(512, classes)

    def forward(self, rgb: Tensor, flow: Tensor) -> Tensor:
        # [B, 2, 10 T, H, W] → [B, 20, T, H, W]: the ten fields of a frame become its channels.
        stacks = flow.unflatten(2, (-1, 10)).permute(0, 3, 1, 2, 4, 5).flatten(1, 2)
        appearance = frame_by_frame(self.spatial, rgb)
        motion = frame_by_frame(self.temporal, stacks)
        x = torch.cat([appearance, motion], dim=2).transpose(1, 2)  # [B, 2048, T, 7, 7]
        x = self.pool(F.relu(self.norm(self.fuse(x))))
        return self.fc(x.mean(dim=(2, 3, 4)))


def stacked_scores(spatial: np.ndarray, temporal: np.ndarray) -> np.ndarray:
    """Softmax scores of both streams, each at length 1, side by side: 2 × [N, C] → [N, 2C]."""
    parts = [s / np.linalg.norm(s, axis=1, keepdims=True) for s in (spatial, temporal)]
    return np.concatenate(parts, axis=1)


def fit_svm(
    spatial_scores: np.ndarray, temporal_scores: np.ndarray, labels: np.ndarray
) -> "LinearSVC":
    """The paper's better fusion: learn from examples which stream to trust for which class.

    Args:
        spatial_scores, temporal_scores: softmax scores [N, classes] for N videos.
        labels: int [N], their classes.

    >>> svm = fit_svm(spatial, temporal, labels)
    >>> svm.predict(stacked_scores(new_spatial, new_temporal))
    array([3, 0, 7])
    """
    from sklearn.svm import LinearSVC  # a second of import time that only the fitting should cost

    svm = LinearSVC(random_state=0)
    return svm.fit(stacked_scores(spatial_scores, temporal_scores), labels)


def two_stream_spatial(classes: int) -> Stream:
    """The paper's spatial stream: 90,627,813 parameters for UCF101."""
    return Stream(cnn_m_2048(3, classes))


def two_stream_temporal(classes: int) -> TemporalStream:
    """The paper's temporal stream: 90,707,781 parameters for UCF101. It is trained from scratch."""
    return TemporalStream(cnn_m_2048(20, classes, second_norm=False, dropout=0.9))


def two_stream(classes: int) -> TwoStream:
    """Both of the paper's streams."""
    return TwoStream(two_stream_spatial(classes), two_stream_temporal(classes))


def two_stream_vgg16_spatial(classes: int) -> Stream:
    """VGG-16 on one frame: 134,674,341 parameters for UCF101."""
    return Stream(widened_vgg16(3, classes, dropout=(0.9, 0.9)))


def two_stream_vgg16_temporal(classes: int) -> Stream:
    """VGG-16 on ten fields of flow, their means left in: 134,684,133 parameters for UCF101."""
    return Stream(widened_vgg16(20, classes, dropout=(0.9, 0.8)))


def spatial_stream_tiny(classes: int) -> Stream:
    """The small residual network on one picture."""
    return Stream(small_resnet(3, classes))


def temporal_stream_tiny(classes: int) -> TemporalStream:
    """The small residual network on ten fields of flow."""
    return TemporalStream(small_resnet(20, classes))


def two_stream_tiny(classes: int) -> TwoStream:
    """Both small streams."""
    return TwoStream(spatial_stream_tiny(classes), temporal_stream_tiny(classes))


_ABOUT: dict[str, Any] = {
    "family": "Two-stream",
    "year": 2014,
    "paper": "Simonyan and Zisserman, Two-Stream Convolutional Networks for Action Recognition in "
    "Videos, NIPS 2014",
    "paper_url": "https://arxiv.org/abs/1406.2199",
}
_FUSED: dict[str, Any] = {
    "family": "Two-stream",
    "year": 2017,
    "paper": "Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics "
    "Dataset, CVPR 2017, after Feichtenhofer et al., CVPR 2016",
    "paper_url": "https://arxiv.org/abs/1705.07750",
}
_UCF: dict[str, Any] = {"size": "paper", "label_set": "UCF101", "classes": UCF101}
_TINY: dict[str, Any] = {"size": "tiny", "label_set": LABEL_SET, "classes": EVERYDAY}

_FRAME = ModelInput(
    frames=1,
    fps=25.0,
    resize=256,
    crop=(224, 224),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    any_frames=False,
)
_FLOW = replace(_FRAME, frames=10, modality="flow", flow_frames=10)
# The paper's flow is that of Brox et al. (ECCV 2004); those who came later took TV-L1.
_PAPER_FLOW = replace(_FLOW, flow_method="Brox")
_BOTH = replace(_FRAME, modality="rgb+flow", flow_frames=10, flow_method="Brox")
# Ten fields of the tiny models' two seconds; beside them, one frame.
# Frames a fifth of a second apart: as fast a motion as TINY_FLOW's 8 pixels in an eighth.
_TEMPORAL_FLOW = replace(
    TINY_FLOW, frames=10, fps=5.0, flow_frames=10, flow_limit=12.0, any_frames=False
)
_TINY_BOTH = replace(_TEMPORAL_FLOW, frames=1, modality="rgb+flow")

_CAFFE = "VGG_CNN_M_2048.caffemodel, from its size of 370 MB"
_ZHU = "bryanyzhu/two-stream-pytorch's code"


def _mean_of_splits(ucf: float, hmdb: float, fusion: str = "") -> tuple[Accuracy, ...]:
    protocol = f"mean of three splits, 25 frames with 10 crops each{fusion}"
    return tuple(
        Accuracy(dataset, top1, None, protocol, "paper, table 4")
        for dataset, top1 in (("UCF101", ucf), ("HMDB51", hmdb))
    )


def _first_split(top1: float) -> tuple[Accuracy, ...]:
    return (Accuracy("UCF101", top1, None, "split 1", "bryanyzhu/two-stream-pytorch"),)


KEY_MAP = key_map(
    (r"^(features|classifier)\.", r"network.\1."),
    (r"^fc_action\.", "network.classifier.6."),
)
"""two-stream-pytorch's VGG-16 is torchvision's, with a last layer of its own name."""


def flow_key_map(state: State) -> dict[str, Tensor]:
    """The same for its temporal stream, to which 20 pixels of flow are 0.5 / 0.226 and here 1.

    The factor goes into the first convolution.
    """
    ours = KEY_MAP(state)
    if "features.0.weight" in state:
        ours["network.features.0.weight"] = state["features.0.weight"] * (0.5 / 0.226)
    return ours


def _by_hand(parameters: int, key_map: KeyMap, top1: float) -> tuple[Source, ...]:
    """A file of bryanyzhu/two-stream-pytorch on Google Drive."""
    return (
        Source(
            url="https://github.com/bryanyzhu/two-stream-pytorch",
            sha256="",
            bytes=parameters * 4,  # unverified: the size of its parameters alone
            licence="MIT (bryanyzhu/two-stream-pytorch)",
            name="bryanyzhu",
            key_map=key_map,
            accuracy=_first_split(top1),
        ),
    )


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="two_stream_spatial",
        title="Two-stream: spatial stream",
        hue=96,
        **_ABOUT,
        **_UCF,
        idea="Recognises the action from a single frame: a pool or a violin says a lot before "
        "anything moves.",
        input=_FRAME,
        build=two_stream_spatial,
        parameters=90_627_813,
        gmacs=1.664,
        accuracy=_mean_of_splits(73.0, 40.5),
        published=(PublishedCost(_CAFFE, "unverified", 92.5e6, classes=1000),),
    ),
    ModelCard(
        name="two_stream_temporal",
        title="Two-stream: temporal stream",
        **_ABOUT,
        **_UCF,
        idea="Sees no picture at all, only how every point moves during ten frames, stacked up "
        "like the colours of one image.",
        input=_PAPER_FLOW,
        build=two_stream_temporal,
        parameters=90_707_781,
        gmacs=2.614,
        accuracy=_mean_of_splits(83.7, 54.6),
    ),
    ModelCard(
        name="two_stream",
        title="Two-stream ConvNets",
        chapter="streams",
        **_ABOUT,
        **_UCF,
        idea="One network looks at a frame, another at the motion around it, and their scores are "
        "averaged: each is right where the other is not.",
        input=_BOTH,
        build=two_stream,
        parameters=181_335_594,
        gmacs=4.278,
        accuracy=(
            *_mean_of_splits(86.9, 58.0, ", fusion by averaging"),
            *_mean_of_splits(88.0, 59.4, ", fusion by a linear SVM"),
        ),
        note="The network averages. The SVM needs scores of labelled videos: fit_svm in its file.",
    ),
    ModelCard(
        name="two_stream_vgg16_spatial",
        title="Two-stream VGG-16: spatial stream",
        **_ABOUT,
        **_UCF,
        idea="The spatial stream with a deeper image network, VGG-16.",
        input=replace(_FRAME, resize=(256, 340)),
        build=two_stream_vgg16_spatial,
        by_hand=_by_hand(134_674_341, KEY_MAP, 78.5),
        parameters=134_674_341,
        gmacs=15.467,
        accuracy=_first_split(78.5),
        published=(PublishedCost(_ZHU, "verified", 134_674_341, 15.467),),
        note="Its public file lies on Google Drive, which a program cannot fetch from: give it "
        "yourself.",
    ),
    ModelCard(
        name="two_stream_vgg16_temporal",
        title="Two-stream VGG-16: temporal stream",
        **_ABOUT,
        **_UCF,
        idea="The temporal stream with a deeper image network, VGG-16, whose first filters are "
        "widened to twenty channels of flow.",
        input=replace(_FLOW, resize=(256, 340)),
        build=two_stream_vgg16_temporal,
        by_hand=_by_hand(134_684_133, flow_key_map, 80.4),
        parameters=134_684_133,
        gmacs=15.958,
        accuracy=_first_split(80.4),
        published=(PublishedCost(_ZHU, "verified", 134_684_133, 15.958),),
        note="Its public file lies on Google Drive, which a program cannot fetch from: give it "
        "yourself.",
    ),
    ModelCard(
        name="fused_3d",
        title="3D-Fused two-stream",
        **_FUSED,
        **_UCF,
        idea="The streams meet before the last layer: a convolution over time and space looks at "
        "what both saw in five moments, before anything is decided.",
        # Five frames 10 apart; to each the ten fields of flow around it.
        input=replace(_FRAME, frames=5, modality="rgb+flow", flow_frames=50),
        build=Fused3D,
        parameters=39_617_509,
        gmacs=25.254,
        accuracy=(
            Accuracy("UCF101", 89.3, None, "split 1, RGB and flow", "lecture, I3D table"),
            Accuracy("HMDB51", 56.8, None, "split 1, RGB and flow", "lecture, I3D table"),
        ),
        published=(PublishedCost("lecture, I3D table", "printed", 39e6),),
        note="A reconstruction: the paper gives the layers of the fusion, but neither their "
        "padding nor their normalisation.",
    ),
    ModelCard(
        name="spatial_stream_lab",
        title="Spatial stream (tiny)",
        tiny_of="two_stream_spatial",
        **_ABOUT,
        **_TINY,
        idea="A small residual network guesses the action from one change between neighbouring frames: "
        "what is there at one moment, as far as it moves.",
        input=replace(TINY_CHANGE, any_frames=False),
        build=spatial_stream_tiny,
        parameters=1_240_263,
        gmacs=0.2074,
        note="The paper's sees a frame, and so does the one inside Two-stream (tiny). Of plain frames "
        "this one learned too little of new, dark places to be asked about them.",
    ),
    ModelCard(
        name="temporal_stream_lab",
        title="Temporal stream (tiny)",
        tiny_of="two_stream_temporal",
        **_ABOUT,
        **_TINY,
        idea="A small residual network sees ten fields of optical flow and nothing else: clothes "
        "and places are gone, and only movement is left.",
        input=_TEMPORAL_FLOW,
        build=temporal_stream_tiny,
        parameters=1_266_919,
        gmacs=0.291,
    ),
    ModelCard(
        name="two_stream_lab",
        title="Two-stream (tiny)",
        chapter="streams",
        tiny_of="two_stream",
        **_ABOUT,
        **_TINY,
        idea="Two small residual networks, one for a frame and one for the flow around it, average "
        "their scores.",
        input=_TINY_BOTH,
        build=two_stream_tiny,
        parameters=2_507_182,
        gmacs=0.4985,
        note="Unlike the paper's, its streams are trained together, their average included.",
    ),
)
