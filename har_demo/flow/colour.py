"""Flow as pictures: hue is direction, depth of colour is length, as Middlebury's benchmark has it.

    field ÷ scale ──longer than 1 cut to 1──▶ wheel of 55 hues ──▶ RGB

Right is red, down yellow, left blue-green, up violet (Baker et al., IJCV 2011), and what stands still is
white. Whoever draws several fields draws them on one scale, or the same colour means different speeds.
"""

import cv2
import numpy as np
import torch
from torchvision.utils import flow_to_image

FLOOR = 1.0
"""The least scale, in pixels: without one the noise of a clip in which nothing moves fills the wheel."""

CELLS = 12  # arrows along the shorter side
SHORTEST = 0.08  # of the longest arrow: shorter ones are left out
ENLARGED = 2  # arrows are drawn on a picture so many times as large


def scale_of(tops: np.ndarray) -> float:
    """Pixels that get the full colour: what the ten fastest in a hundred fields reach, FLOOR at least.

    Args:
        tops: float [P], the length that 99 in 100 points of each field stay under.
    """
    return float(max(FLOOR, np.quantile(tops, 0.9)))


def coloured(field: np.ndarray, scale: float) -> np.ndarray:
    """A field float [2, H, W] in pixels as RGB uint8 [H, W, 3]; `scale` and more is the full colour."""
    length = np.linalg.norm(field, axis=0)
    # torchvision gives the longest vector the full colour, so one row more holds a vector of length 1.
    rows = np.zeros((2, length.shape[0] + 1, length.shape[1]), np.float32)
    rows[:, :-1] = field / np.maximum(length, scale)
    rows[0, -1] = 1
    return flow_to_image(torch.from_numpy(rows))[:, :-1].permute(1, 2, 0).numpy()


def wheel(side: int = 120) -> np.ndarray:
    """The legend, uint8 [side, side, 3]: a vector from the middle to a point has that point's colour."""
    steps = (np.arange(side) + 0.5) / side * 2 - 1
    field = np.stack(np.meshgrid(steps, steps))
    picture = coloured(field, 1.0)
    picture[np.linalg.norm(field, axis=0) > 1] = 255
    return picture


def length(field: np.ndarray, scale: float) -> np.ndarray:
    """Colour every point by its speed: dark stands still, yellow is `scale`."""
    return heat(np.linalg.norm(field, axis=0) / scale)


def heat(shares: np.ndarray) -> np.ndarray:
    """Numbers [H, W], 0 to 1, as RGB uint8 [H, W, 3]."""
    levels = (np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def arrows(frame: np.ndarray, field: np.ndarray, scale: float) -> np.ndarray:
    """The mean motion of each cell of a grid as an arrow on the frame, ENLARGED times as large.

    The longest of FLOOR pixels and more reaches over a cell and a half; colours are those of `scale`.
    """
    height, width = frame.shape[:2]
    cell = max(8, min(height, width) // CELLS)
    grid = (max(1, width // cell), max(1, height // cell))
    mean = cv2.resize(np.moveaxis(field, 0, 2), grid, interpolation=cv2.INTER_AREA)
    picture = cv2.resize(frame, (width * ENLARGED, height * ENLARGED)) // 2  # arrows stand out
    longest = max(FLOOR, float(np.linalg.norm(mean, axis=2).max()))
    reach = 1.5 * ENLARGED * cell / longest
    for row, line in enumerate(mean):
        for column, vector in enumerate(line):
            if np.hypot(*vector) < SHORTEST * longest:
                continue
            middle = (np.array([column, row]) + 0.5) * (width / grid[0], height / grid[1])
            half = vector * reach / 2
            start, end = (np.rint(middle * ENLARGED + way * half).astype(int) for way in (-1, 1))
            colour = coloured(vector.reshape(2, 1, 1), scale)[0, 0].tolist()
            cv2.arrowedLine(picture, start, end, (0, 0, 0), 4, cv2.LINE_AA, tipLength=0.35)
            cv2.arrowedLine(picture, start, end, colour, 2, cv2.LINE_AA, tipLength=0.35)
    return picture
