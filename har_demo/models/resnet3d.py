"""Residual networks in three dimensions."""

from torchvision.models import video

from .card import ModelCard
from .torchvision_card import torchvision_card

_PAPER = (
    "Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018"
)


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        lambda classes: video.r3d_18(num_classes=classes),
        video.R3D_18_Weights.KINETICS400_V1,
        name="r3d_18",
        title="R3D-18",
        family="3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/1711.11248",
        idea=(
            "An 18-layer residual network whose every filter is a 3×3×3 cube, so that each layer "
            "looks at space and time at once."
        ),
        frames=16,
        fps=15,
        gmacs=40.697,
    ),
    torchvision_card(
        lambda classes: video.mc3_18(num_classes=classes),
        video.MC3_18_Weights.KINETICS400_V1,
        name="mc3_18",
        title="MC3-18",
        family="3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/1711.11248",
        idea=(
            "Only the first layers look across time; the later ones treat every frame as a "
            "picture, which saves two thirds of R3D-18's parameters."
        ),
        frames=16,
        fps=15,
        gmacs=43.343,
    ),
)
