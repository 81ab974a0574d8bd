"""Maps over the frames they belong to, as pictures.

Cells are drawn as what they are, flat boxes of the map's own grid. A cell that lasts several frames is
drawn on each of them.

    ┌────┬────┬────┬────┐
    │ ▒▒ │ ▓▓╌╌╌╌╌╌▓▓ │    │   cells coloured by weight, lines from the asking place to the strongest
    ├────┼────┼────┼────┤
    │    │ □  │    │    │      □ who asks
    └────┴────┴────┴────┘
"""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from har_demo.explain.activation import Activation
from har_demo.explain.attention import AttentionResult, connections
from har_demo.explain.look import ForwardTrace

TILE = 160  # pixels of a frame's width
COLUMNS = 8
MARGIN, LINE = 14, 24
BACKGROUND, WORDS, SOFT = (19, 27, 33), (241, 245, 247), (148, 163, 172)
LESS, MORE = (59, 120, 230), (235, 94, 40)  # below and above nothing
THREAD, ASKING = (255, 255, 255), (255, 214, 64)


def colours(values: np.ndarray, most: float | None = None) -> np.ndarray:
    """Cells as colours, uint8 [T, H, W, 4] with how much they cover as the last channel.

    Where nothing is negative, from dark and thin to yellow and thick; else blue below nothing and
    orange above, thicker away from it.

    Args:
        values: float [T, H, W].
        most: size that gets the strongest colour; the largest of all cells where it is not given.
    """
    most = max(float(np.abs(values).max()) if most is None else most, 1e-12)
    share = np.clip(np.abs(values) / most, 0, 1)
    if values.min() < 0:
        rgb = np.where(values[..., None] < 0, LESS, MORE)
        alpha = 0.9 * share**0.6  # faint ones count here, too
    else:
        levels = (share * 255).astype(np.uint8)
        bgr = cv2.applyColorMap(levels.reshape(-1, 1), cv2.COLORMAP_VIRIDIS)
        rgb = bgr[..., ::-1].reshape(*share.shape, 3)
        alpha = 0.8 * share**0.8
    return np.concatenate([rgb, 255 * alpha[..., None]], axis=-1).round().astype(np.uint8)


def cell_of(frame: int, frames: int, cells: int) -> int:
    """Return which of so many cells along time holds a frame.

    >>> [cell_of(frame, 4, 2) for frame in range(4)]
    [0, 0, 1, 1]
    """
    return int((frame + 0.5) / frames * cells)


def frame_of(cell: int, cells: int, frames: int) -> int:
    """The frame in the middle of a cell.

    >>> frame_of(1, 2, 8)
    6
    """
    return min(int((cell + 0.5) / cells * frames), frames - 1)


def frames_asking(cell: int, cells: int, frames: int) -> list[int]:
    """The frames whose moment asks; a block with one moment asks from the middle frame.

    >>> frames_asking(1, 2, 4), frames_asking(0, 1, 4)
    ([2, 3], [2])
    """
    if cells == 1:
        return [frame_of(0, 1, frames)]
    return [frame for frame in range(frames) if cell_of(frame, frames, cells) == cell]


def attention_picture(
    trace: ForwardTrace,
    result: AttentionResult,
    head: int | None = None,
    k: int = 8,
    lines: Sequence[str] = (),
) -> np.ndarray:
    """Draw the attention from one position, uint8 [height, width, 3]: a strip of frames for each level.

    Args:
        trace: the look.
        result: its attention.
        head: one of them, or the mean.
        k: strongest connections drawn as lines.
        lines: sentences below.
    """
    maps = result.maps(head)
    strips = []
    best = connections(result, k, head)
    for number, values in enumerate(maps):
        t, h, w = values.shape
        cells = f"{t} × {h} × {w} cells"
        level = f", level {number + 1} of {len(maps)}" if len(maps) > 1 else ""
        title = f"{trace.card.title}, {result.block.name}{level}: {cells}"
        targets = [(cell, weight) for level, cell, weight in best if level == number]
        asking = (result.cell, result.block.query_grid)
        strips.append((title, _strip(trace, values, asking, targets, result.block.covered)))
    return _page(strips, lines)


def activation_picture(
    trace: ForwardTrace, result: Activation, lines: Sequence[str] = ()
) -> np.ndarray:
    """Draw a class activation map, uint8 [height, width, 3]."""
    t, h, w = result.values.shape
    what = "" if result.method == "rollout" else f" for '{trace.card.classes[result.target]}'"
    title = f"{trace.card.title}, {result.method}{what}: {t} × {h} × {w} cells of {result.layer}"
    return _page([(title, _strip(trace, result.values, None, []))], lines)


def png(picture: np.ndarray) -> bytes:
    """A uint8 RGB picture as a PNG file."""
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def _strip(
    trace: ForwardTrace,
    values: np.ndarray,
    asking,
    targets,
    covered: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Frames in rows with cells over them: uint8 [height, width, 3].

    Args:
        trace: the look.
        values: [T, H, W].
        asking: (cell, grid) of who asks, or None.
        targets: (cell, weight) of what lines go to.
        covered: shares of height and width that the cells lie on.
    """
    count = len(trace.pictures)
    columns = min(COLUMNS, count)
    tall = round(TILE * trace.pictures.shape[1] / trace.pictures.shape[2])
    rows = -(-count // columns)
    canvas = np.full((rows * tall, columns * TILE, 3), BACKGROUND, np.uint8)
    painted = colours(values)

    def corner(frame: int) -> tuple[int, int]:
        return frame // columns * tall, frame % columns * TILE

    def middle(cell, grid, down: float = 1.0, across: float = 1.0) -> tuple[int, int]:
        top, left = corner(frame_of(cell[0], grid[0], count))
        return (
            left + round((cell[2] + 0.5) / grid[2] * across * TILE),
            top + round((cell[1] + 0.5) / grid[1] * down * tall),
        )

    for frame, picture in enumerate(trace.pictures):
        small = cv2.resize(picture, (TILE, tall), interpolation=cv2.INTER_AREA)
        over = painted[cell_of(frame, count, len(painted))]
        h, w = round(tall * covered[0]), round(TILE * covered[1])
        over = cv2.resize(over, (w, h), interpolation=cv2.INTER_NEAREST).astype(np.float32)
        alpha = over[..., 3:] / 255
        top, left = corner(frame)
        small[:h, :w] = (small[:h, :w] * (1 - alpha) + over[..., :3] * alpha).round()
        canvas[top : top + tall, left : left + TILE] = small
        cv2.rectangle(canvas, (left, top), (left + TILE - 1, top + tall - 1), BACKGROUND, 1)
        _words(canvas, (left + 5, top + tall - 18), f"{trace.seconds[frame]:.2f} s")
    if asking:
        (t, i, j), grid = asking
        strongest = max((abs(weight) for _, weight in targets), default=1.0) or 1.0
        for cell, weight in reversed(targets):
            thick = 1 + round(2 * abs(weight) / strongest)
            ends = middle((t, i, j), grid), middle(cell, values.shape, *covered)
            cv2.line(canvas, *ends, BACKGROUND, thick + 2, cv2.LINE_AA)
            cv2.line(canvas, *ends, THREAD, thick, cv2.LINE_AA)
            cv2.circle(canvas, ends[1], 4, THREAD, -1, cv2.LINE_AA)
        for frame in frames_asking(t, grid[0], count):
            top, left = corner(frame)
            start = left + round(j / grid[2] * TILE), top + round(i / grid[1] * tall)
            end = left + round((j + 1) / grid[2] * TILE), top + round((i + 1) / grid[1] * tall)
            cv2.rectangle(canvas, start, end, BACKGROUND, 4, cv2.LINE_AA)
            cv2.rectangle(canvas, start, end, ASKING, 2, cv2.LINE_AA)
    return canvas


def _page(strips: Sequence[tuple[str, np.ndarray]], lines: Sequence[str]) -> np.ndarray:
    """Strips below one another, each under its title, and sentences at the bottom."""
    width = max(max(strip.shape[1] for _, strip in strips), 5 * TILE)
    lines = [part for line in lines for part in _wrapped(line, width)]
    height = sum(LINE + strip.shape[0] + MARGIN for _, strip in strips) + LINE * len(lines)
    canvas = np.full((height + 2 * MARGIN, width + 2 * MARGIN, 3), BACKGROUND, np.uint8)
    top = MARGIN
    for title, strip in strips:
        _words(canvas, (MARGIN, top), title, 17)
        top += LINE
        canvas[top : top + strip.shape[0], MARGIN : MARGIN + strip.shape[1]] = strip
        top += strip.shape[0] + MARGIN
    for line in lines:
        _words(canvas, (MARGIN, top), line, 15, SOFT)
        top += LINE
    return canvas


def _wrapped(line: str, width: int) -> list[str]:
    """A sentence in as many lines as it takes."""
    parts = [""]
    for word in line.split():
        longer = f"{parts[-1]} {word}".strip()
        if parts[-1] and _font(15).getlength(longer) > width:
            parts.append(word)
        else:
            parts[-1] = longer
    return parts


def _words(
    canvas: np.ndarray, place: tuple[int, int], text: str, size: int = 13, colour=WORDS
) -> None:
    """Write into a picture, with a dark edge so that it is read on anything."""
    left, top = place
    part = canvas[top : top + size + 8, left:]
    image = Image.fromarray(part)
    text = text.replace("×", "x")  # which the font does not have
    ImageDraw.Draw(image).text(
        (0, 0), text, colour, _font(size), stroke_width=1, stroke_fill=BACKGROUND
    )
    part[:] = np.asarray(image)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
