"""MViTv2, in torchvision's own code: not a system of the lecture, kept as a second transformer to compare with."""

from torchvision.models import video

from har_demo.models.card import ModelCard, PublishedCost
from har_demo.models.torchvision_card import PORTED, torchvision_card

_PAPER = (
    "Li et al., MViTv2: Improved Multiscale Vision Transformers "
    "for Classification and Detection, CVPR 2022"
)


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        lambda classes: video.mvit_v2_s(num_classes=classes),
        video.MViT_V2_S_Weights.KINETICS400_V1,
        name="mvit_v2_s",
        title="MViTv2-S",
        family="Video transformer",
        year=2022,
        paper=_PAPER,
        paper_url="https://arxiv.org/abs/2112.01526",
        idea=(
            "A transformer that starts with many small patches and pools them stage by stage, "
            "so early layers see detail and late layers see the whole clip."
        ),
        frames=16,
        fps=7.5,
        gmacs=64.224,
        published=(PublishedCost("PySlowFast's code", "verified", 34_537_744, 64.224),),
        licence=PORTED.format("PySlowFast"),
        # Its grid of patches is fixed when the network is built.
        any_frames=False,
    ),
)
