"""C3D: eight 3×3×3 convolutions and three fully connected layers (Tran et al., ICCV 2015).

Every convolution sees space and time at once and none of them shrinks its input; only the max-pools do:

    layer                 output for 3 × 16 × 112 × 112    10⁹ multiply-adds
    conv1a  pool1         64 × 16 × 56 × 56      1.04      pool1 is 1×2×2: time is kept at first
    conv2a  pool2        128 ×  8 × 28 × 28     11.10      the other pools are 2×2×2
    conv3a  conv3b pool3 256 ×  4 × 14 × 14      5.55 + 11.10
    conv4a  conv4b pool4 512 ×  2 ×  7 ×  7      2.77 + 5.55
    conv5a  conv5b pool5 512 ×  1 ×  4 ×  4      0.69 + 0.69
    fc6 fc7              4096                    0.03 + 0.02
    fc8                  classes                 0.002

pool5 is padded to 4×4 in the authors' Sports-1M network and in all public files that fit this one. The
lecture prints 3×3, which is a different network (fc6 has 4608 inputs, not 8192) and stands here as
`c3d_3x3`; weights of the one do not fit the other.

The lecture's table of layers errs in four more places, all found by counting:

- its column is headed MFLOPs, but holds 10⁹ multiply-adds;
- fc6 to fc8 (0.51, 0.45, 0.05) are each 27 times too large: the factor 3×3×3 of the convolutions was
  kept where there is no kernel;
- the total of 39.5 is the column's sum and inherits that: it is 38.53, or 38.55 with pool5 of 4×4;
- VGG-16 has 15.5·10⁹ multiply-adds on 224×224, not 13.6, so C3D costs 2.5 times as much, which is
  neither the "2×" nor the "2.9×" that the lecture gives.

The I3D paper compares itself with a variant, its "3D-ConvNet" (b), which stands below as `ConvNet3D`.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, Protocol, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400, SPORTS1M, UCF101
from har_demo.models.publishers import MMACTION2, as_fields, mmaction2
from har_demo.models.tiny import TINY_DIFFERENCE


class C3D(nn.Module):
    """float [B, 3, 16, 112, 112] → logits [B, classes].

    Args:
        classes: number of outputs.
        width: channels of conv1a; the later layers have 2, 4, 8 and 8 times as many.
        hidden: units of fc6 and of fc7.
        batch_norm: normalise after every convolution. The paper does not; without it, training from
            scratch on few clips hardly starts.
        pool5_padding: 1 makes pool5 4×4 as in the authors' network, 0 makes it 3×3.

    >>> C3D(487)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 487])
    """

    def __init__(
        self,
        classes: int,
        width: int = 64,
        hidden: int = 4096,
        batch_norm: bool = False,
        pool5_padding: int = 1,
    ):
        super().__init__()
        self.pool5_padding = (0, pool5_padding, pool5_padding)
        side = 3 + pool5_padding  # of pool5's output: pooling by 2 makes 3 of 7, or 4 of 9

        def conv(inputs: int, outputs: int) -> nn.Module:
            convolution = nn.Conv3d(inputs, outputs, kernel_size=3, padding=1)
            if not batch_norm:
                return convolution
            return nn.Sequential(convolution, nn.BatchNorm3d(outputs))

        self.conv1a = conv(3, width)
        self.conv2a = conv(width, 2 * width)
        self.conv3a = conv(2 * width, 4 * width)
        self.conv3b = conv(4 * width, 4 * width)
        self.conv4a = conv(4 * width, 8 * width)
        self.conv4b = conv(8 * width, 8 * width)
        self.conv5a = conv(8 * width, 8 * width)
        self.conv5b = conv(8 * width, 8 * width)
        self.fc6 = nn.Linear(8 * width * 1 * side * side, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, classes)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1a(x))
        x = F.max_pool3d(x, (1, 2, 2))
        x = F.relu(self.conv2a(x))
        x = F.max_pool3d(x, 2)
        x = F.relu(self.conv3a(x))
        x = F.relu(self.conv3b(x))
        x = F.max_pool3d(x, 2)
        x = F.relu(self.conv4a(x))
        x = F.relu(self.conv4b(x))
        x = F.max_pool3d(x, 2)
        x = F.relu(self.conv5a(x))
        x = F.relu(self.conv5b(x))
        x = F.max_pool3d(x, 2, padding=self.pool5_padding)
        x = x.flatten(1)
        x = self.dropout(F.relu(self.fc6(x)))
        x = self.dropout(F.relu(self.fc7(x)))
        return self.fc8(x)


class ConvNet3D(nn.Module):
    """The I3D paper's 3D-ConvNet: float [B, 3, 16, 112, 112] → logits [B, classes].

    C3D with two changes: batch normalisation after every convolution and every fully connected layer
    but the last, and a pool1 that halves time as well, so that time is down to 1 before pool5:

        layer                 output for 3 × 16 × 112 × 112
        conv1a  pool1         64 × 8 × 56 × 56
        conv2a  pool2        128 × 4 × 28 × 28
        conv3a  conv3b pool3 256 × 2 × 14 × 14
        conv4a  conv4b pool4 512 × 1 ×  7 ×  7
        conv5a  conv5b pool5 512 × 1 ×  4 ×  4
        fc6 fc7              4096
        fc8                  classes

    >>> ConvNet3D(400)(torch.zeros(2, 3, 16, 112, 112)).shape
    torch.Size([2, 400])
    """

    def __init__(self, classes: int):
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Sequential:
            # The norm that follows would take any bias away again.
            convolution = nn.Conv3d(inputs, outputs, kernel_size=3, padding=1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.ReLU())

        def fc(inputs: int, outputs: int) -> nn.Sequential:
            linear = nn.Linear(inputs, outputs, bias=False)
            return nn.Sequential(linear, nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(0.5))

        self.conv1a = conv(3, 64)
        self.conv2a = conv(64, 128)
        self.conv3a = conv(128, 256)
        self.conv3b = conv(256, 256)
        self.conv4a = conv(256, 512)
        self.conv4b = conv(512, 512)
        self.conv5a = conv(512, 512)
        self.conv5b = conv(512, 512)
        self.fc6 = fc(512 * 1 * 4 * 4, 4096)
        self.fc7 = fc(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool3d(self.conv1a(x), 2)
        x = F.max_pool3d(self.conv2a(x), 2)
        x = F.max_pool3d(self.conv3b(self.conv3a(x)), 2)
        x = F.max_pool3d(self.conv4b(self.conv4a(x)), 2)
        x = F.max_pool3d(self.conv5b(self.conv5a(x)), (1, 2, 2), padding=(0, 1, 1))
        return self.fc8(self.fc7(self.fc6(x.flatten(1))))


_PAPER = "Tran et al., Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015"
_PAPER_URL = "https://arxiv.org/abs/1412.0767"


def c3d(classes: int) -> C3D:
    """The paper's network: 79,991,015 parameters for Sports-1M's 487 classes."""
    return C3D(classes)


def c3d_3x3(classes: int) -> C3D:
    """With pool5 as the lecture prints it: 64.9 M parameters for Kinetics-400."""
    return C3D(classes, pool5_padding=0)


def c3d_tiny(classes: int) -> C3D:
    """A quarter of the paper's width, with batch normalisation."""
    return C3D(classes, width=16, hidden=512, batch_norm=True)


# Its mean is the authors' BGR mean applied to RGB; the weights were trained so and must be fed so.
# 25 fps is UCF101's own rate, at which it takes 16 frames in a row.
_MMACTION2 = replace(
    MMACTION2,
    frames=16,
    fps=25.0,
    resize=128,
    crop=(112, 112),
    mean=(104 / 255, 117 / 255, 128 / 255),
    std=(1 / 255,) * 3,
    any_frames=False,
    any_side=False,
)

DAVIDEA_KEY_MAP = key_map((r"^conv([12])\.", r"conv\1a."))
"""DavideA/c3d-pytorch has our names, but for the two layers that stand alone: it leaves out their 'a'."""

MMACTION2_KEY_MAP = key_map(
    (r"^(backbone\.)?(conv\d[ab])\.conv\.", r"\2."),
    (r"^backbone\.(fc[67])\.", r"\1."),
    (r"^cls_head\.fc_cls\.", "fc8."),
)
"""mmaction2 keeps backbone and head apart, and every convolution inside a module of its own."""

# As DavideA/c3d-pytorch feeds its copy of the authors' weights: values from 0 to 255, no mean
# taken off. The authors themselves subtract a mean clip.
_SPORTS = ModelInput(
    frames=16,
    fps=25.0,
    resize=112,
    crop=(112, 112),
    mean=(0.0, 0.0, 0.0),
    std=(1 / 255, 1 / 255, 1 / 255),
    any_frames=False,
    any_side=False,
)


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="c3d",
        title="C3D",
        chapter="volume",
        hue=172,
        family="3D convolution",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Stretches a VGG-style image network into time: every filter is a small 3×3×3 cube, "
        "so motion is learned from the first layer on.",
        size="paper",
        label_set="UCF101",
        classes=UCF101,
        build=c3d,
        parameters=78_409_573,
        gmacs=38.547,
        published=(
            PublishedCost("mmaction2's code", "verified", parameters=78_409_573, gmacs=38.547),
        ),
        **as_fields(
            mmaction2(
                "v1.0/recognition/c3d/c3d_sports1m-pretrained_8xb30-16x1x1-45e_ucf101-rgb/"
                "{}_20220811-31723200.pth",
                78_409_573,
                83.08,
                95.93,
                Protocol(10, placing="mmaction2"),
                _MMACTION2,
                MMACTION2_KEY_MAP,
                about="split 1, Sports-1M pre-training",
                dataset="UCF101",
            ),
        ),
    ),
    ModelCard(
        name="c3d_sports1m",
        title="C3D on Sports-1M",
        family="3D convolution",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The same network with the 487 sports it was first trained on: its features, taken from "
        "fc6, then served for other data sets under a linear classifier.",
        size="paper",
        input=_SPORTS,
        label_set="Sports-1M",
        classes=SPORTS1M,
        build=c3d,
        parameters=79_991_015,
        gmacs=38.549,
        accuracy=(Accuracy("Sports-1M", 61.1, 85.2, "per video", "lecture, Sports-1M table"),),
        published=(
            PublishedCost(
                "DavideA/c3d-pytorch's code",
                "verified",
                parameters=79_991_015,
                gmacs=38.549,
            ),
        ),
        weights=(
            Source(
                url="https://download.openmmlab.com/mmaction/recognition/c3d/"
                "c3d_sports1m_pretrain_20201016-dcc47ddc.pth",
                sha256="dcc47ddc",
                bytes=79_991_015 * 4,  # unverified: the size of its parameters alone
                licence="Apache-2.0 (mmaction2)",
                name="mmaction2",
                key_map=key_map(
                    (r"^(?:backbone\.)?(conv\d[ab])\.conv\.", r"\1."), (r"^backbone\.", "")
                ),
                date="2020-10-16",
                certain=False,
            ),
        ),
        by_hand=(
            Source(
                url="http://imagelab.ing.unimore.it/files/c3d_pytorch/c3d.pickle",
                sha256="",
                bytes=79_991_015 * 4,  # unverified: the size of its parameters alone
                licence="MIT (DavideA/c3d-pytorch)",
                name="DavideA",
                key_map=DAVIDEA_KEY_MAP,
            ),
        ),
        note="mmaction2's file starts its training on UCF101; whether it still knows the 487 sports is not "
        "stated, and without them it is refused. DavideA/c3d-pytorch offers its own, c3d.pickle, over "
        "plain http: it fits, should you have it.",
    ),
    ModelCard(
        name="c3d_3x3",
        title="C3D (pool5 3×3)",
        family="3D convolution",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="C3D as the lecture's table has it: without padding in the last pool, fc6 gets 512×3×3 "
        "numbers, and the network has 15 million parameters fewer.",
        size="paper",
        input=ModelInput(
            frames=16,
            fps=25.0,
            resize=128,
            crop=(112, 112),
            mean=(0.5, 0.5, 0.5),  # nobody's: there are no weights to ask for others
            std=(0.25, 0.25, 0.25),
            any_frames=False,
        ),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=c3d_3x3,
        parameters=64_954_512,
        gmacs=38.534,
        published=(
            PublishedCost(
                "the lecture's layers, counted",
                "verified",
                parameters=65.3e6,
                gmacs=38.53,
                classes=487,
            ),
            PublishedCost("VMZ model zoo", "printed", parameters=64.9e6, gmacs=38.5),
            PublishedCost(
                "lecture, C3D table, fc layers 27 times too large", "printed", gmacs=39.5
            ),
        ),
        note="VMZ's C3D has this pool5 too, but normalises after every convolution; its weights are no "
        "PyTorch file.",
    ),
    ModelCard(
        name="convnet_3d",
        title="3D-ConvNet",
        family="3D convolution",
        year=2017,
        paper="Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics "
        "Dataset, CVPR 2017",
        paper_url="https://arxiv.org/abs/1705.07750",
        idea="The C3D that I3D was measured against: normalised after every layer, and halving time at "
        "once, so that larger batches fit. It cannot start from an image network.",
        size="paper",
        input=ModelInput(
            frames=16,
            fps=25.0,
            resize=128,  # unverified: the paper's 112 of 128 are recalled
            crop=(112, 112),
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            any_frames=False,
        ),
        label_set="UCF101",
        classes=UCF101,
        build=ConvNet3D,
        parameters=78_420_517,
        gmacs=19.819,
        accuracy=(
            Accuracy(
                "UCF101", 51.6, None, "split 1, RGB, trained from scratch", "lecture, I3D table"
            ),
        ),
        published=(
            # 78.9 M with the 213 classes of the paper's miniKinetics, 78.4 M with UCF101's.
            PublishedCost("lecture, I3D table", "printed", parameters=79e6, classes=213),
        ),
        note="No public weights. Unstated in the paper, and chosen here: pool1 spans the two frames it "
        "steps over, and time is not pooled again once it is 1.",
    ),
    ModelCard(
        name="c3d_lab",
        title="C3D (tiny)",
        chapter="volume",
        tiny_of="c3d",
        family="3D convolution",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="C3D at a quarter of its width, fed with the change from frame to frame; unlike the "
        "paper's it has batch normalisation, which lets it learn from a few hundred clips.",
        size="tiny",
        input=replace(TINY_DIFFERENCE, any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=c3d_tiny,
        parameters=3_063_111,
        gmacs=2.602,
    ),
)
