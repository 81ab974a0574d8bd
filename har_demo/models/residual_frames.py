"""ResFrame-TS: differences of frames in place of optical flow (Tao et al., arXiv 2020).

Two-stream networks wait for flow. A residual frame, one frame minus the one before it, costs a subtraction:
whatever stands still cancels, and edges that move are left. A 3D network sees the residual frames, a 2D
one a single frame for the looks that were cancelled, and their scores are averaged:

                 17 RGB frames, 3 × 17 × 112 × 112
        xₜ − xₜ₋₁                          the middle frame
        3 × 16 × 112 × 112                 3 × 112 × 112
        3D ResNet-18                       ResNet-50
        softmax                            softmax
                        mean of both

The first frame has none before it, so T frames give T − 1 residual ones. The authors' published code for
related work shifts the clip with `roll` instead, which wraps around: its first "residual" is the first
frame minus the last, a jump through the whole clip that looks like motion and is none. Here it is left out.

The lecture's table lists ResFrame-TS with 73.9 % on Mini-Kinetics.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet50

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput
from har_demo.models.label_sets import KINETICS400
from har_demo.models.resnet2d import ResNet2D, pooled_resnet2d
from har_demo.models.resnet3d import BasicNet
from har_demo.models.tiny import TINY_INPUT


def residual_frames(x: Tensor) -> Tensor:
    """Each frame minus the one before it: [B, C, T, H, W] → [B, C, T − 1, H, W].

    >>> residual_frames(torch.tensor([1.0, 4.0, 4.0]).view(1, 1, 3, 1, 1)).flatten()
    tensor([3., 0.])
    """
    return x[:, :, 1:] - x[:, :, :-1]


class ResFrameTS(nn.Module):
    """float [B, 3, T, H, W], T > 1 → logits [B, classes], whose softmax is the mean of both paths' scores.

    Args:
        motion: the path of residual frames, [B, 3, T − 1, H, W] → [B, classes].
        appearance: the path of one frame, [B, 3, H, W] → [B, classes].

    >>> resframe_ts(400)(torch.zeros(1, 3, 17, 112, 112)).shape
    torch.Size([1, 400])
    """

    def __init__(self, motion: nn.Module, appearance: nn.Module):
        super().__init__()
        self.motion = motion
        self.appearance = appearance

    def paths(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of motion and of appearance, [B, classes] each; the paper trains them one by one."""
        middle = x[:, :, x.shape[2] // 2]
        return self.motion(residual_frames(x)), self.appearance(middle)

    def forward(self, x: Tensor) -> Tensor:
        # log((softmax(a) + softmax(b)) / 2), written so that small scores do not vanish
        scores = torch.stack([F.log_softmax(path, dim=1) for path in self.paths(x)])
        return scores.logsumexp(0) - math.log(2)


def resframe_ts(classes: int) -> ResFrameTS:
    """R3D-18 on residual frames, ResNet-50 on the middle one."""
    return ResFrameTS(BasicNet(classes), resnet50(num_classes=classes))


def resframe_ts_tiny(classes: int) -> ResFrameTS:
    """R3D-10 at three eighths of the width, and the ten-layer image network of all tiny 2D systems.

    Differences of frames are faint, so each clip's are brought to deviation 1 first.
    """
    motion = BasicNet(classes, blocks=1, width=24)
    return ResFrameTS(
        motion, nn.Sequential(pooled_resnet2d(), nn.Linear(ResNet2D.channels, classes))
    )


_WORDS: dict[str, Any] = {
    "family": "Two-stream",
    "year": 2020,
    "paper": "Tao et al., Rethinking Motion Representation: Residual Frames with 3D ConvNets for Better "
    "Action Recognition, arXiv 2020",
    "paper_url": "https://arxiv.org/abs/2001.05661",
}

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="resframe_ts",
        title="ResFrame-TS",
        chapter="streams",
        idea="Two streams without optical flow: a 3D network sees what changes from frame to frame, a "
        "2D one sees a single frame, and their scores are averaged.",
        size="paper",
        input=ModelInput(
            frames=17,  # 16 residual ones
            fps=25.0,
            resize=(128, 171),
            crop=(112, 112),
            mean=(0.43216, 0.394666, 0.37645),
            std=(0.22803, 0.22145, 0.216989),
        ),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=resframe_ts,
        parameters=57_699_104,
        gmacs=41.773,
        accuracy=(
            Accuracy("Mini-Kinetics-200", 73.9, None, "protocol not stated", "lecture, PNL table"),
        ),
        note="No public code of the two paths and no weights. Unverified: that appearance is a ResNet-50, "
        "and the size of its image; here both paths see the same 112 × 112 pixels.",
        **_WORDS,
    ),
    ModelCard(
        name="resframe_ts_lab",
        title="ResFrame-TS (tiny)",
        chapter="streams",
        tiny_of="resframe_ts",
        idea="The small two-path network makes its own differences: one path learns from movement "
        "alone, the other from one still, so you can see which of them an action needs.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=resframe_ts_tiny,
        parameters=3_275_382,
        gmacs=3.205,
        **_WORDS,
    ),
)
