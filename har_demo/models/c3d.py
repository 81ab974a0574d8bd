"""C3D: eight 3×3×3 convolutions and three fully connected layers (Tran et al., ICCV 2015).

Every convolution sees space and time at once and none of them shrinks its input; only the max-pools do:

    layer                 output for 3 × 16 × 112 × 112
    conv1a  pool1         64 × 16 × 56 × 56      pool1 is 1×2×2: time is kept at first
    conv2a  pool2        128 ×  8 × 28 × 28      the other pools are 2×2×2
    conv3a  conv3b pool3 256 ×  4 × 14 × 14
    conv4a  conv4b pool4 512 ×  2 ×  7 ×  7
    conv5a  conv5b pool5 512 ×  1 ×  4 ×  4      padded to 4×4, as in the authors' Sports-1M network
    fc6 fc7              4096
    fc8                  classes

The lecture prints pool5 as 3×3, which is a different network (fc6 has 4608 inputs, not 8192); the public
weights are of the padded one.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, WeightSource
from har_demo.models.lab import LAB_INPUT
from har_demo.models.label_sets import UCF101


class C3D(nn.Module):
    """float [B, 3, 16, 112, 112] → logits [B, classes].

    Args:
        classes: number of outputs.
        width: channels of conv1a; the later layers have 2, 4, 8 and 8 times as many.
        hidden: units of fc6 and of fc7.
        batch_norm: normalise after every convolution. The paper does not; without it, training from
            scratch on few clips hardly starts.
        normalise_input: bring each clip's input to mean 0 and deviation 1 per channel first, so that
            a dark clip, whose frame differences are faint, looks like a bright one.

    >>> C3D(487)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 487])
    """

    def __init__(
        self,
        classes: int,
        width: int = 64,
        hidden: int = 4096,
        batch_norm: bool = False,
        normalise_input: bool = False,
    ):
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Module:
            convolution = nn.Conv3d(inputs, outputs, kernel_size=3, padding=1)
            if not batch_norm:
                return convolution
            return nn.Sequential(convolution, nn.BatchNorm3d(outputs))

        self.normalise = nn.InstanceNorm3d(3) if normalise_input else nn.Identity()
        self.conv1a = conv(3, width)
        self.conv2a = conv(width, 2 * width)
        self.conv3a = conv(2 * width, 4 * width)
        self.conv3b = conv(4 * width, 4 * width)
        self.conv4a = conv(4 * width, 8 * width)
        self.conv4b = conv(8 * width, 8 * width)
        self.conv5a = conv(8 * width, 8 * width)
        self.conv5b = conv(8 * width, 8 * width)
        self.fc6 = nn.Linear(8 * width * 1 * 4 * 4, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, classes)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.normalise(x)
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
        x = F.max_pool3d(x, 2, padding=(0, 1, 1))
        x = x.flatten(1)
        x = self.dropout(F.relu(self.fc6(x)))
        x = self.dropout(F.relu(self.fc7(x)))
        return self.fc8(x)


_PAPER = "Tran et al., Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015"
_PAPER_URL = "https://arxiv.org/abs/1412.0767"


def c3d(classes: int) -> C3D:
    """The paper's network: 79,991,015 parameters for Sports-1M's 487 classes."""
    return C3D(classes)


def c3d_lab(classes: int) -> C3D:
    """A quarter of the paper's width, with batch normalisation."""
    return C3D(classes, width=16, hidden=512, batch_norm=True, normalise_input=True)


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="c3d",
        title="C3D",
        family="3D convolution",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Stretches a VGG-style image network into time: every filter is a small 3×3×3 cube, "
        "so motion is learned from the first layer on.",
        size="paper",
        # Channel order, mean and resize are those of mmaction2's test configuration. Its mean is
        # the authors' BGR mean applied to RGB; the weights were trained so and must be fed so.
        # 25 fps is UCF101's own rate, at which it takes 16 frames in a row.
        input=ModelInput(
            frames=16,
            fps=25.0,
            resize=128,
            crop=(112, 112),
            mean=(104 / 255, 117 / 255, 128 / 255),
            std=(1 / 255, 1 / 255, 1 / 255),
            any_frames=False,
        ),
        label_set="UCF101",
        classes=UCF101,
        build=c3d,
        weights=(
            WeightSource(
                url="https://download.openmmlab.com/mmaction/v1.0/recognition/c3d/"
                "c3d_sports1m-pretrained_8xb30-16x1x1-45e_ucf101-rgb/"
                "c3d_sports1m-pretrained_8xb30-16x1x1-45e_ucf101-rgb_20220811-31723200.pth",
                sha256="31723200",
                bytes=78_409_573 * 4,  # unverified: the size of its parameters alone
                licence="Apache-2.0 (mmaction2)",
            ),
        ),
        parameters=78_409_573,
        gmacs=38.547,
        accuracy=(
            Accuracy(
                dataset="UCF101 split 1",
                top1=83.08,
                top5=None,
                protocol="Sports-1M pre-training, 10 windows of 16 frames, centre crop",
                source="mmaction2 model zoo",
            ),
        ),
    ),
    ModelCard(
        name="c3d_lab",
        title="C3D (lab size)",
        family="3D convolution",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="C3D at a quarter of its width, fed with the change from frame to frame; unlike the "
        "paper's it has batch normalisation, which lets it learn from a few hundred clips.",
        size="lab",
        input=replace(LAB_INPUT, modality="difference", any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=c3d_lab,
        parameters=3_049_773,
        gmacs=2.602,
    ),
)
