"""Conv Pool: the strongest response of each place over the whole video (Ng et al., CVPR 2015).

Each frame passes an image network up to its last convolution. Then every place of every map keeps
its largest value over all frames, and two fully connected layers read what is left. Unlike an
average of scores this keeps a response that shows in one frame only, and unlike pooled features it
keeps where in the picture it was.

    layer                                   output for 3 × 120 × 224 × 224
    AlexNet's convolutions, each frame       120 × 256 × 6 × 6
    max over time                            256 × 6 × 6
    FC(4096)  FC(4096)                       4096
    fc                                       classes

The paper compares AlexNet and GoogLeNet, up to 120 frames at one a second, and several places for
the max. Here is its first: AlexNet, and the max straight after the convolutions. A maximum forgets
the order.

The lecture has one line of it, in the Sports-1M table: 71.7 and 90.4 % with RGB and flow. That is
two networks on GoogLeNet, not this one.
"""

from dataclasses import replace

from torch import Tensor, nn
from torchvision.models import alexnet

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput
from har_demo.models.fusion2d import dense
from har_demo.models.label_sets import UCF101
from har_demo.models.resnet2d import ResNet2D, frame_by_frame
from har_demo.models.tiny import TINY_INPUT


class ConvPool(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T.

    Args:
        convolutions: an image network without its head, [N, 3, H, W] → [N, C, h, w].
        head: what reads the strongest responses, [B, C · h · w] → logits [B, classes].

    >>> conv_pool(101)(torch.zeros(1, 3, 120, 224, 224)).shape
    torch.Size([1, 101])
    """

    def __init__(self, convolutions: nn.Module, head: nn.Module):
        super().__init__()
        self.convolutions = convolutions
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        maps = frame_by_frame(self.convolutions, x)  # [B, T, C, h, w]
        return self.head(maps.amax(dim=1).flatten(1))


def conv_pool(classes: int) -> ConvPool:
    """Over torchvision's AlexNet."""
    return ConvPool(alexnet(weights=None).features, dense(256, classes, side=6))


def conv_pool_tiny(classes: int) -> ConvPool:
    """Over the small image network that all 2D systems share, its maps of 7 × 7 thinned to 32 channels.

    With all 256 the fully connected layers outweigh the rest. A maximum of many responses is large
    everywhere: without a norm behind the first of these layers, and with half of so few units dropped,
    the network learned nothing.
    """
    thinned = nn.Sequential(
        ResNet2D(),
        nn.Conv2d(ResNet2D.channels, 32, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
    )
    head = nn.Sequential(
        nn.Linear(32 * 7 * 7, 256, bias=False),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(256, classes),
    )
    return ConvPool(thinned, head)


_PAPER = "Ng et al., Beyond Short Snippets: Deep Networks for Video Classification, CVPR 2015"
_PAPER_URL = "https://arxiv.org/abs/1503.08909"

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="conv_pool",
        title="Conv Pool (AlexNet)",
        family="2D fusion",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Keeps, for every place of the last convolution's maps, the strongest response in "
        "any of 120 frames: a sight of one second counts as much as one of two minutes.",
        size="paper",
        input=ModelInput(
            frames=120,
            fps=1.0,
            resize=256,
            crop=(224, 224),
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
        ),
        label_set="UCF101",
        classes=UCF101,
        build=conv_pool,
        parameters=57_417_637,
        gmacs=78.723,
        accuracy=(
            Accuracy(
                "Sports-1M",
                71.7,
                90.4,
                "of the GoogLeNet variant with RGB and flow, hit@1 and hit@5, not of this network",
                "lecture, Sports-1M table",
            ),
        ),
        note="No weights are public. The original AlexNet has a few more filters than "
        "torchvision's, which stands here. The paper's classified Sports-1M's 487 sports; this "
        "one has UCF101's classes.",
    ),
    ModelCard(
        name="conv_pool_lab",
        title="Conv Pool (tiny)",
        tiny_of="conv_pool",
        family="2D fusion",
        year=2015,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Keeps the strongest response of every place over eight frames, each seen by itself "
        "by the shared small image network.",
        size="tiny",
        input=replace(TINY_INPUT, frames=8, fps=4.0),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=conv_pool_tiny,
        parameters=1_650_439,
        gmacs=1.663,
    ),
)
