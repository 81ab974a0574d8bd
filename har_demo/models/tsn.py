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
from torchvision.models import resnet50, resnet101

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, Protocol, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.publishers import SEGMENTS, as_fields, mmaction2
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


def tsn_r101(classes: int) -> TSN:
    """TSN with ResNet-101: 43,319,760 parameters for Kinetics-400."""
    network = resnet101(weights=None)
    network.fc = nn.Identity()
    return TSN(network, 2048, classes, dropout=0.4)


def tsn_tiny(classes: int) -> TSN:
    """TSN with the small image network that all 2D systems share."""
    return TSN(pooled_resnet2d(), 256, classes, dropout=0.3)


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


TWENTY_FIVE_SEGMENTS = Protocol(
    1, 10, frames=25, placing="mmaction2", mean_of="logits", resize=256, crop=(224, 224)
)

# What the authors of TSM published: their TSN beside it.
MIT = "https://file.lzhu.me/projects/tsm/models"
MIT_SEGMENTS = replace(SEGMENTS, geometry="torchvision", antialias=True)  # Pillow resizes there
MIT_KEY_MAP = key_map((r"^base_model\.", "features."), (r"^new_fc\.", "fc."))


def mit_accuracy(top1: float, protocol: str, dataset: str = "Kinetics-400") -> Accuracy:
    """A top-1 that the authors of TSM print beside a file."""
    place = "mit-han-lab/temporal-shift-module, README (commit 0185b90)"
    return Accuracy(dataset, top1, None, protocol, place)


# Five frames of 64, as DenseSampleFrames takes them in training. It is tested on 25 frames of 64 at ten
# places, whose scores are averaged; of crops its configuration takes one and its table says ten.
_DENSE = replace(
    mmaction2(
        "v1.0/recognition/tsn/tsn_imagenet-pretrained-r50_8xb32-dense-1x1x5-100e_kinetics400-rgb/"
        "{}_20220906-dcbc6e01.pth",
        24_327_632,
        71.37,
        89.67,
        Protocol(10, frames=25),
        replace(SEGMENTS, frames=5, fps=2.5, sampling="dense"),
        KEY_MAP,
        name="mmaction2-dense",
        about="ImageNet, trained on pieces of two seconds; its crops are stated in two ways",
    ),
    protocol=None,
)


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
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=tsn_r50,
        parameters=24_327_632,
        gmacs=32.698,
        **as_fields(
            mmaction2(
                "v1.0/recognition/tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb/"
                "{}_20220906-2692d16c.pth",
                24_327_632,
                74.12,
                91.34,
                TWENTY_FIVE_SEGMENTS,
                SEGMENTS,
                KEY_MAP,
                about="ImageNet",
            ),
            _DENSE,
            Source(
                url=f"{MIT}/TSM_kinetics_RGB_resnet50_avg_segment5_e50.pth",
                sha256="",
                bytes=24_327_632 * 4,  # unverified: the size of its parameters alone
                licence="MIT (mit-han-lab/temporal-shift-module)",
                name="mit-han-lab",
                key_map=MIT_KEY_MAP,
                input=MIT_SEGMENTS,
                protocol=Protocol(1),
                accuracy=(
                    mit_accuracy(68.8, "8 segments, centre crop"),
                    mit_accuracy(69.9, "8 segments, 10 crops"),
                ),
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
        name="tsn_r101",
        title="TSN (ResNet-101)",
        family="2D fusion",
        year=2016,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="TSN with an image network of twice as many layers: what can be had without looking at the "
        "order of the frames.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=tsn_r101,
        parameters=43_319_760,
        gmacs=62.396,
        published=(PublishedCost("mmaction2 model zoo", "printed", 43.32e6),),
        **as_fields(
            mmaction2(
                "v1.0/recognition/tsn/tsn_imagenet-pretrained-r101_8xb32-1x1x8-100e_kinetics400-rgb/"
                "{}_20220906-23cff032.pth",
                43_319_760,
                75.89,
                92.07,
                TWENTY_FIVE_SEGMENTS,
                SEGMENTS,
                KEY_MAP,
                about="ImageNet",
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
