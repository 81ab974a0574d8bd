"""Small moving pictures of every edit: one strip of frames each, which the page's style plays.

They are made from two seconds of the clip, decoded once, so that an edit shows at once what it does.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from markupsafe import Markup

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.errors import ClipError
from har_demo.explain.edits import Asked, pictures
from har_demo.explain.film import stretch
from har_demo.explain.moving import Moving, moving
from har_demo.interface.render import data_uri, fragment

RATE = 8  # frames a second that are shown
FRAMES = 16
MOST = 32  # frames of one strip: slower than this they do not all fit
TILE = (112, 84)  # width and height of a frame in a strip
BETWEEN = 32  # grey level beside pictures of another shape


@lru_cache(maxsize=4)
def _shown(clip: Clip, start: float) -> np.ndarray:
    """uint8 [N, H, W, 3]: up to two seconds from the middle of the stretch, RATE frames a second."""
    part = stretch(clip, start)
    step = clip.fps / RATE
    count = min(FRAMES, max(1, int(part.count / step)))
    first = (part.count - count * step) / 2
    numbers = np.floor(first + np.arange(count) * step).clip(0, part.count - 1).astype(np.int64)
    return read_frames(clip, part.start + numbers)


@lru_cache(maxsize=4)
def _moving(clip: Clip, start: float) -> Moving:
    return moving(_shown(clip, start), RATE)


def strip(clip: Clip, start: float, one: Asked | None) -> tuple[str, int]:
    """An edit of the clip, or the clip itself, as a data: address, and how many frames are in it.

    Raises:
        ClipError: nothing moves, where that is asked, or the clip's copy has gone.
        ChoiceError: the clip is over before it starts.
    """
    frames = _shown(clip, start)
    if one is None:
        tiles = [_tile(frame) for frame in frames]
    elif one.edit.group == "time":
        order = one.edit.change(len(frames), one.strength)[:MOST]
        small = {n: _tile(frames[n]) for n in set(order.tolist())}
        tiles = [small[n] for n in order.tolist()]
    else:
        numbers = np.arange(len(frames))
        tiles = [
            _tile(frame) for frame in pictures(frames, numbers, one, lambda: _moving(clip, start))
        ]
    return data_uri(np.concatenate(tiles, axis=1), quality=72), len(tiles)


def _tile(frame: np.ndarray) -> np.ndarray:
    """The frame whole, in the middle of a tile."""
    scale = min(TILE[0] / frame.shape[1], TILE[1] / frame.shape[0])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    tile = np.full((TILE[1], TILE[0], 3), BETWEEN, np.uint8)
    left, top = (TILE[0] - size[0]) // 2, (TILE[1] - size[1]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile


def style(clip: Clip, start: float, asked: Sequence[Asked], within: str) -> Markup:
    """A style that plays the clip and its edits in the `.film` elements inside `within`.

    An edit that cannot be made of this clip has none.
    """
    strips = []
    for one in (None, *asked):
        try:
            address, count = strip(clip, start, one)
        except ClipError:
            continue
        strips.append({"edit": one.edit.name if one else "", "address": address, "count": count})
    return fragment("motion/parts", "previews", strips=strips, within=within, rate=RATE)
