"""S3D: an Inception network whose 3D filters are split into space and time (Xie et al., ECCV 2018).

Its published accuracy is of single views of 128 frames. The card asks for 64, as the paper does: 128 frames
take 144 GMACs in one go, and a second of video costs the same either way, because a longer view covers
more of it. Any other number does too, from 14 on.
"""

from torchvision.models import video

from .card import ModelCard
from .torchvision_card import torchvision_card

_PAPER = (
    "Xie et al., Rethinking Spatiotemporal Feature Learning: "
    "Speed-Accuracy Trade-offs in Video Classification, ECCV 2018"
)


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        lambda classes: video.s3d(num_classes=classes),
        video.S3D_Weights.KINETICS400_V1,
        name="s3d",
        title="S3D",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/1712.04851",
        idea=(
            "An Inception network stretched over time, with each 3D filter split into one that "
            "looks at a frame and one that looks along time: better and cheaper than the cube."
        ),
        frames=64,
        fps=15,
        gmacs=71.916,
    ),
)
