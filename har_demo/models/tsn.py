"""Temporal segment networks: frames of the whole video, averaged (Wang et al., ECCV 2016).

Neighbouring frames say the same twice. So the video is cut into K equal segments, one frame is
taken of each, all pass the same image network, and the segments reach a consensus: the mean of
their scores. Scores are linear in the features, so their mean is the score of the features' mean.

    layer                                   output for 3 × 8 × 224 × 224
    ResNet-50, each frame by itself          8 × 2048
    mean over the segments                   2048
    fc                                       classes

The paper has BN-Inception, two or three streams and K = 3; the widely used weights, and this
network, have ResNet-50 (torchvision's) on RGB alone, trained with 8 segments. A mean forgets the
order: played backwards, the video scores the same. That is what TRN and TSM, which start from the
same network, set out to change. The tiny one is shown differences of frames, another of the paper's
inputs: backwards they have the other sign, but their order is forgotten as well.

The lecture does not name TSN; it stands here as the ground that those two and the two-stream
networks share.
"""

from dataclasses import replace

from torch import Tensor, nn
from torchvision.models import resnet50

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.resnet2d import frame_by_frame, pooled_resnet2d
from har_demo.models.tiny import TINY_DIFFERENCE


class TSN(nn.Module):
    """float [B, 3, T, H, W], one frame a segment → logits [B, classes]; any T.

    Args:
        features: an image network, [N, 3, H, W] → [N, channels].
        channels: of its features.
        classes: number of outputs.
        dropout: share of features dropped before the last layer while training.

    >>> tsn_r50(400)(torch.zeros(1, 3, 8, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(self, features: nn.Module, channels: int, classes: int, dropout: float):
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        features = frame_by_frame(self.features, x)  # [B, T, channels]
        # The mean of linear scores is the score of the mean: fc need not run for every segment.
        return self.fc(self.dropout(features.mean(dim=1)))


def resnet50_features() -> nn.Module:
    """torchvision's ResNet-50 up to its pooled features: [N, 3, H, W] → [N, 2048]."""
    network = resnet50(weights=None)
    network.fc = nn.Identity()
    return network


def tsn_r50(classes: int) -> TSN:
    """TSN with ResNet-50: 24,327,632 parameters for Kinetics-400."""
    return TSN(resnet50_features(), 2048, classes, dropout=0.4)


def tsn_tiny(classes: int) -> TSN:
    """TSN with the small image network that all 2D systems share."""
    return TSN(pooled_resnet2d(), 256, classes, dropout=0.3)


MMACTION2_INPUT = ModelInput(
    frames=8,
    fps=0.8,  # 8 segments of Kinetics' ten seconds
    sampling="segments",
    resize=256,
    crop=(224, 224),
    mean=(123.675 / 255, 116.28 / 255, 103.53 / 255),
    std=(58.395 / 255, 57.12 / 255, 57.375 / 255),
)
"""What mmaction2 feeds its networks of 8 segments: ImageNet's mean and deviation."""

_PAPER = (
    "Wang et al., Temporal Segment Networks: Towards Good Practices for Deep Action Recognition, "
    "ECCV 2016"
)
_PAPER_URL = "https://arxiv.org/abs/1608.00859"

RESNET50_RULES = (
    (r"^backbone\.conv1\.conv\.", "features.conv1."),
    (r"^backbone\.conv1\.bn\.", "features.bn1."),
    (r"^backbone\.(layer\d\.\d+)\.conv(\d)\.conv\.", r"features.\1.conv\2."),
    (r"^backbone\.(layer\d\.\d+)\.conv(\d)\.bn\.", r"features.\1.bn\2."),
    (r"^backbone\.(layer\d\.\d+)\.downsample\.conv\.", r"features.\1.downsample.0."),
    (r"^backbone\.(layer\d\.\d+)\.downsample\.bn\.", r"features.\1.downsample.1."),
)
"""mmaction2's ResNet-50 → torchvision's, called `features`: it keeps backbone and head apart, and a
convolution and its norm in a module of their own."""

KEY_MAP = key_map(*RESNET50_RULES, (r"^cls_head\.fc_cls\.", "fc."))


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="tsn_r50",
        title="TSN (ResNet-50)",
        chapter="fusion",
        family="2D fusion",
        year=2016,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Takes one frame from each of eight equal parts of the video and averages their "
        "scores: the whole action is seen at the price of eight pictures.",
        size="paper",
        input=MMACTION2_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=tsn_r50,
        key_map=KEY_MAP,
        weights=(
            Source(
                url="https://download.openmmlab.com/mmaction/v1.0/recognition/tsn/"
                "tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb/"
                "tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb"
                "_20220906-2692d16c.pth",
                sha256="2692d16c",
                bytes=24_327_632 * 4,  # unverified: the size of its parameters alone
                licence="Apache-2.0 (mmaction2)",
            ),
        ),
        parameters=24_327_632,
        gmacs=32.698,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=74.12,
                top5=91.34,
                protocol="25 segments, 10 crops",
                source="mmaction2 model zoo",
            ),
        ),
        published=(
            PublishedCost(
                "mmaction2's code",
                "verified",
                parameters=24_327_632,
                gmacs=32.698,
                classes=400,
            ),
        ),
    ),
    ModelCard(
        name="tsn_lab",
        title="TSN (tiny)",
        chapter="fusion",
        tiny_of="tsn_r50",
        family="2D fusion",
        year=2016,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Averages the scores of eight changes from frame to frame, each seen by itself by the shared "
        "small image network: it sees that something moves, but not what comes first.",
        size="tiny",
        input=replace(TINY_DIFFERENCE, frames=8, fps=4.0),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=tsn_tiny,
        parameters=1_240_263,
        gmacs=1.659,
        note="Differences of frames are one of the inputs that the paper tries, beside frames and flow.",
    ),
)
