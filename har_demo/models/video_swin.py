"""Video Swin: attention inside shifted boxes of space and time (Liu et al., CVPR 2022).

torchvision counts the multiply-adds of 16 frames; the nets were trained and scored on 32.
"""

from torchvision.models import video

from .card import ModelCard
from .torchvision_card import PORTED, torchvision_card

_PAPER = "Liu et al., Video Swin Transformer, CVPR 2022"


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        lambda classes: video.swin3d_t(num_classes=classes),
        video.Swin3D_T_Weights.KINETICS400_V1,
        name="swin3d_t",
        title="Video Swin-T",
        family="Video transformer",
        year=2022,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/2106.13230",
        idea=(
            "Patches attend only to their neighbours inside small boxes of space and time; the "
            "boxes shift from layer to layer, so that news spreads through the clip."
        ),
        frames=32,
        fps=15,
        gmacs=87.76,
        licence=PORTED.format("Video-Swin-Transformer"),
    ),
    torchvision_card(
        lambda classes: video.swin3d_s(num_classes=classes),
        video.Swin3D_S_Weights.KINETICS400_V1,
        name="swin3d_s",
        title="Video Swin-S",
        family="Video transformer",
        year=2022,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/2106.13230",
        idea=(
            "Video Swin-T with its third stage three times as deep: the same boxes of attention, "
            "more steps of reasoning."
        ),
        frames=32,
        fps=15,
        gmacs=165.68,
        licence=PORTED.format("Video-Swin-Transformer"),
    ),
    torchvision_card(
        lambda classes: video.swin3d_b(num_classes=classes),
        # The same network also has weights that began with ImageNet-1K: 2.2 points lower.
        video.Swin3D_B_Weights.KINETICS400_IMAGENET22K_V1,
        name="swin3d_b",
        title="Video Swin-B",
        family="Video transformer",
        year=2022,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/2106.13230",
        idea=(
            "Video Swin-S with a third more channels, started from pictures of 22 thousand "
            "classes before it saw any video."
        ),
        frames=32,
        fps=15,
        gmacs=281.33,
        licence=PORTED.format("Video-Swin-Transformer"),
    ),
)
