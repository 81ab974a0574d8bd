"""Frames become the pixels an image encoder takes, by the arithmetic of open_clip's own preprocessing.

uint8 [N, H, W, 3] ──resize──▶ whole numbers ──centre crop──▶ ──mean, std──▶ float [N, 3, h, w]
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.clips.transforms import CHUNK, resized


@dataclass(frozen=True)
class Preparation:
    """Size and scale of the pixels that an image encoder takes.

    Attributes:
        size: (height, width) in pixels.
        mean, std: per RGB channel, for values in [0, 1].
        interpolation: how pixels between pixels are found; sizes are always filtered first.
        resize: 'shortest' keeps the aspect ratio and cuts the sides off; 'squash' keeps all of the frame.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    resize: Literal["shortest", "squash"] = "shortest"

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return the pixels (left, top, right, bottom) of a frame that the encoder sees."""
        h, w = self._resized(width, height)
        top, left = self._corner(h, w)
        return (
            round(left * width / w),
            round(top * height / h),
            round((left + self.size[1]) * width / w),
            round((top + self.size[0]) * height / h),
        )

    def pixels(self, frames: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
        """float32 [N, 3, h, w] of frames uint8 [N, H, W, 3], RGB."""
        height, width = frames.shape[1:3]
        h, w = self._resized(width, height)
        top, left = self._corner(h, w)
        mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (self.mean, self.std))
        out = torch.empty(len(frames), 3, *self.size, device=device)
        for first in range(0, len(frames), CHUNK):
            some = torch.from_numpy(frames[first : first + CHUNK]).to(device)
            some = some.permute(0, 3, 1, 2).contiguous().float()
            if (h, w) != (height, width):
                some = F.interpolate(some, (h, w), mode=self.interpolation, antialias=True)
                some = some.round_().clamp_(0, 255)
            cut = some[:, :, top : top + self.size[0], left : left + self.size[1]]
            out[first : first + CHUNK] = (cut / 255 - mean) / std
        return out

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        if self.resize == "squash":
            return self.size
        h, w = self.size
        if h == w:
            return resized(h, width, height)
        scale = max(h / height, w / width)
        return max(h, round(height * scale)), max(w, round(width * scale))

    def _corner(self, height: int, width: int) -> tuple[int, int]:
        return round((height - self.size[0]) / 2), round((width - self.size[1]) / 2)
