"""Frames become the tensor a model wants: resize, crop, scale to [0, 1], normalise.

The arithmetic is that of the publisher of the weights, down to the rounding of sizes, corners and
resized pixels (ModelInput.geometry), so that public weights see what they were trained on.

    uint8 [N, H, W, 3] ──resize──▶ [N, 3, h', w'] ──crop──▶ [N, 3, h, w] ──normalise──▶ float32
"""

import math

import numpy as np
import torch
from torch.nn import functional as F

from har_demo.models.card import ModelInput

# Frames resized at once. Only these exist as floats at full size, so memory does not grow with N;
# so few fit a processor's cache, which is twice as fast as all at once.
CHUNK = 8
# Pixels resized at once. A strip of 18 × 4096, its short side enlarged, alone has 15 million.
MOST_PIXELS = 2 * 2**20


def transform(
    frames: np.ndarray | torch.Tensor,
    spec: ModelInput,
    crops: int = 1,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Frames as the model wants them, one set for each crop.

    Args:
        frames: uint8 [N, H, W, 3], RGB.
        spec: the model's input.
        crops: 1 for the centre, 3 for the start, centre and end of the longer side, 10 for the corners and
            the centre, each followed by its mirror image.
        device: where the work is done and the result stays.

    Returns:
        float32 [crops, N, 3, h, w] with (h, w) = spec.crop.
    """
    frames = torch.as_tensor(frames)
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames are uint8 [N, H, W, 3], not {frames.dtype} {list(frames.shape)}")
    height, width = frames.shape[1:3]
    size = resized(spec.resize, width, height, spec.geometry)
    corners = crop_corners(spec, size, crops)
    h, w = spec.crop

    mean = torch.tensor(spec.mean, device=device).view(3, 1, 1)
    std = torch.tensor(spec.std, device=device).view(3, 1, 1)
    out = torch.empty(crops, len(frames), 3, h, w, device=device)
    step = max(1, min(CHUNK, MOST_PIXELS // (size[0] * size[1])))
    for first in range(0, len(frames), step):
        chunk = frames[first : first + step].to(device).permute(0, 3, 1, 2).contiguous().float()
        if size != (height, width):
            chunk = F.interpolate(chunk, size, mode="bilinear", antialias=spec.antialias)
            if spec.geometry != "pytorchvideo":
                chunk.round_()
        for crop, (top, left) in enumerate(corners):
            cut = chunk[:, :, top : top + h, left : left + w]
            if mirrored(crop, crops):
                cut = cut.flip(-1)
            out[crop, first : first + step] = cut.div(255).sub_(mean).div_(std)
    return out


def crop_boxes(spec: ModelInput, width: int, height: int, crops: int = 1) -> np.ndarray:
    """Return the boxes of a clip's frames that the crops see, int64 [crops, 4]: left, top, right, bottom.

    Boxes are rounded outwards to whole pixels; right and bottom are exclusive.
    """
    size = resized(spec.resize, width, height, spec.geometry)
    h, w = spec.crop
    # In whole numbers: a rounding error would push a box that ends with the frame past its end.
    boxes = [
        (
            left * width // size[1],
            top * height // size[0],
            -(-(left + w) * width // size[1]),
            -(-(top + h) * height // size[0]),
        )
        for top, left in crop_corners(spec, size, crops)
    ]
    return np.array(boxes, dtype=np.int64)


def resized(
    resize: tuple[int, int] | int, width: int, height: int, geometry: str = "torchvision"
) -> tuple[int, int]:
    """(height, width) after resizing; one number is the short side and keeps the aspect ratio."""
    if not isinstance(resize, int):
        height, width = resize
        return height, width
    short, long = sorted((width, height))
    if geometry == "mmaction2":
        other = int(long * (resize / short) + 0.5)
    elif geometry == "pytorchvideo":
        other = math.floor(long / short * resize)
    else:
        other = int(resize * long / short)
    return (other, resize) if width <= height else (resize, other)


def crop_corners(spec: ModelInput, size: tuple[int, int], crops: int) -> list[tuple[int, int]]:
    """(top, left) of each crop in a resized frame of `size` (height, width)."""
    down, right = size[0] - spec.crop[0], size[1] - spec.crop[1]
    if down < 0 or right < 0:
        raise ValueError(f"a crop of {spec.crop} does not fit a frame resized to {size}")
    if spec.geometry == "mmaction2":
        (top, left), (last_top, last_left) = (
            (down // 2, right // 2),
            (down // 2 * 2, right // 2 * 2),
        )
    elif spec.geometry == "pytorchvideo":
        (top, left), (last_top, last_left) = (-(-down // 2), -(-right // 2)), (down, right)
    else:  # Python rounds halves to even numbers; so do torchvision's presets
        (top, left), (last_top, last_left) = (round(down / 2), round(right / 2)), (down, right)
    if crops == 1:
        return [(top, left)]
    if crops == 3:
        if down > right:
            return [(0, left), (top, left), (last_top, left)]
        return [(top, 0), (top, left), (top, last_left)]
    if crops == 10:  # quarters, as mmaction2's TenCrop has them
        y, x = down // 4, right // 4
        five = [(0, 0), (0, 4 * x), (4 * y, 0), (4 * y, 4 * x), (2 * y, 2 * x)]
        return [corner for corner in five for _ in range(2)]
    raise ValueError(f"crops are 1, 3 or 10, not {crops}")


def mirrored(crop: int, crops: int) -> bool:
    """Whether a crop is shown as in a mirror: every second one of ten."""
    return crops == 10 and crop % 2 == 1


def differences(x: torch.Tensor) -> torch.Tensor:
    """Each frame minus the one before: [..., T + 1, 3, h, w] to [..., T, 3, h, w]."""
    return x[..., 1:, :, :, :] - x[..., :-1, :, :, :]


def standardised(x: torch.Tensor) -> torch.Tensor:
    """Views [B, C, T, h, w], each channel of each brought to mean 0 and deviation 1."""
    return F.instance_norm(x)
