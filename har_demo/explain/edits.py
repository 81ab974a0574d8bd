"""Edits of a clip that keep one thing and take another away: pure functions of its frames.

    time       the same pictures in another order, or fewer of them; no pixel changes
    pace       the clip runs faster or slower
    picture    every frame by itself looks different; no frame changes its place
    moving     what moves is told from what stands still, and one of them is taken out

A model that recognises an action by its motion minds edits of time, one that recognises it by its
surroundings minds edits of the picture. Everything random comes from a fixed seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from har_demo.errors import ChoiceError
from har_demo.explain.moving import Moving, enlarged, filled, mixed, moving

SEED = 7


@dataclass(frozen=True)
class Strength:
    """The setting of an edit: its words, its range and its default value."""

    words: str
    low: float
    high: float
    usual: float
    step: float
    unit: str = ""


@dataclass(frozen=True)
class Edit:
    """One way to change a clip.

    Attributes:
        name: the identifier used by pages, API and command line.
        title: what people call it.
        kind: 'time', 'pace', 'picture' or 'moving', as in this module's docstring.
        does: one sentence.
        change: the function. For 'time' and 'pace' (count, strength) → int64 [frames], which frame is
            shown at each place. For 'picture' (frames, strength, numbers) → frames. For 'moving'
            (frames, masks, place) → frames.
        strength: what can be set, or None.
    """

    name: str
    title: str
    kind: Literal["time", "pace", "picture", "moving"]
    does: str
    change: Callable
    strength: Strength | None = None

    @property
    def group(self) -> str:
        """'time' or 'picture': what of the clip is changed."""
        return "time" if self.kind in ("time", "pace") else "picture"


@dataclass(frozen=True)
class Asked:
    """An edit at a strength; 'darken=0.1' as text."""

    edit: Edit
    strength: float | None = None

    def __str__(self) -> str:
        return self.edit.name if self.strength is None else f"{self.edit.name}={self.strength:g}"

    @property
    def title(self) -> str:
        """Such as 'Darkened, 25 %'."""
        if self.strength is None:
            return self.edit.title
        return f"{self.edit.title}, {shown(self.strength, self.edit.strength.unit)}"


def shown(value: float, unit: str) -> str:
    """A strength as people read it: '25 %', '2 ×', '8'."""
    return f"{value * 100:g} %" if unit == "%" else f"{value:g} {unit}".strip()


# Edits of time: which frame is shown at each place.


def reverse(count: int, strength: None = None) -> np.ndarray:
    """
    >>> reverse(4).tolist()
    [3, 2, 1, 0]
    """
    return np.arange(count)[::-1].copy()


def shuffle(count: int, strength: None = None) -> np.ndarray:
    """Every frame once, in an order that is the same for every model."""
    order = np.random.default_rng(SEED).permutation(count)
    # Two or three frames may fall where they were.
    return np.roll(order, 1) if (order == np.arange(count)).all() else order


def freeze(count: int, strength: float) -> np.ndarray:
    """
    >>> freeze(5, 0.5).tolist()
    [0, 1, 2, 2, 2]
    """
    return np.minimum(np.arange(count), round(strength * (count - 1)))


def single(count: int, strength: float) -> np.ndarray:
    """
    >>> single(5, 0.5).tolist()
    [2, 2, 2, 2, 2]
    """
    return np.full(count, round(strength * (count - 1)))


def drop(count: int, strength: float) -> np.ndarray:
    """Some frames are lost, and the one before stays in their place; the first is never lost."""
    kept = np.random.default_rng(SEED).random(count) >= strength
    kept[0] = True
    return np.maximum.accumulate(np.where(kept, np.arange(count), 0))


def speed(count: int, strength: float) -> np.ndarray:
    """
    >>> speed(6, 2).tolist(), speed(3, 0.5).tolist()
    ([0, 2, 4], [0, 0, 1, 1, 2, 2])
    """
    places = np.arange(max(1, round(count / strength)))
    return np.minimum(np.floor(places * strength + 1e-6), count - 1).astype(np.int64)


# Edits of the picture: uint8 [N, H, W, 3] stays uint8 [N, H, W, 3].


def mirror(frames: np.ndarray, strength: None, numbers: np.ndarray) -> np.ndarray:
    """Left and right change places."""
    return np.ascontiguousarray(frames[:, :, ::-1])


def crop(frames: np.ndarray, strength: float, numbers: np.ndarray) -> np.ndarray:
    """The middle of the picture, `strength` of each side, enlarged to the size it had."""
    height, width = frames.shape[1:3]
    h, w = max(1, round(height * strength)), max(1, round(width * strength))
    top, left = (height - h) // 2, (width - w) // 2
    return _each(
        lambda frame: cv2.resize(
            frame[top : top + h, left : left + w], (width, height), interpolation=cv2.INTER_LINEAR
        ),
        frames,
    )


def darken(frames: np.ndarray, strength: float, numbers: np.ndarray) -> np.ndarray:
    """`strength` of the light is left; what falls between two of the 256 levels is lost."""
    return _levels(np.arange(256) * strength)[frames]


def gamma(frames: np.ndarray, strength: float, numbers: np.ndarray) -> np.ndarray:
    """Dark tones sink and bright ones stay, or the other way round below 1."""
    return _levels((np.arange(256) / 255) ** strength * 255)[frames]


def noise(frames: np.ndarray, strength: float, numbers: np.ndarray) -> np.ndarray:
    """Grain of `strength` grey levels (standard deviation), another in every frame of the clip."""
    out = np.empty_like(frames)
    for number, frame, made in zip(numbers, frames, out, strict=True):
        grain = np.random.default_rng((SEED, int(number))).standard_normal(
            frame.shape, dtype=np.float32
        )
        made[:] = np.clip(frame + strength * grain, 0, 255)
    return out


def blur(frames: np.ndarray, strength: float, numbers: np.ndarray) -> np.ndarray:
    """A Gaussian whose standard deviation is `strength` of the short side."""
    sigma = strength * min(frames.shape[1:3])
    return _each(lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma), frames)


def jpeg(frames: np.ndarray, strength: float, numbers: np.ndarray) -> np.ndarray:
    """Written as JPEG of that quality and read again."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, round(strength)]

    def written(frame: np.ndarray) -> np.ndarray:
        _, file = cv2.imencode(".jpg", frame[..., ::-1], quality)
        return cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]

    return _each(written, frames)


# What moves, and what does not.


def background(frames: np.ndarray, masks: np.ndarray, place: np.ndarray | None) -> np.ndarray:
    """Replace what moves by the place behind it, or by what surrounds it where the camera moves.

    Args:
        frames: uint8 [N, H, W, 3].
        masks: float32 [N, h, w], 1 where something moves; any size.
        place: uint8 [H, W, 3], the picture without what moves, or None.
    """
    masks = np.stack([enlarged(mask, frames) for mask in masks])
    if place is None:
        return _each(filled, frames, masks)
    return _each(lambda frame, mask: mixed(place, frame, mask), frames, masks)


def person(frames: np.ndarray, masks: np.ndarray, place: np.ndarray | None) -> np.ndarray:
    """Keep what moves, on an even grey."""
    grey = np.full(3, 128.0, np.float32)
    return _each(lambda frame, mask: mixed(frame, grey, enlarged(mask, frames)), frames, masks)


def _each(change: Callable, *frames: np.ndarray) -> np.ndarray:
    return np.stack([change(*each) for each in zip(*frames, strict=True)])


def _levels(values: np.ndarray) -> np.ndarray:
    return np.clip(values.round(), 0, 255).astype(np.uint8)


EDITS: dict[str, Edit] = {
    edit.name: edit
    for edit in (
        Edit(
            "reverse",
            "Backwards",
            "time",
            "The last frame comes first: the same pictures, and time runs the other way.",
            reverse,
        ),
        Edit(
            "shuffle",
            "Shuffled",
            "time",
            "The same pictures in a random order: poses stay, motion is gone.",
            shuffle,
        ),
        Edit(
            "freeze",
            "Freezes",
            "time",
            "From one moment on the picture stands still.",
            freeze,
            Strength("after this share of the time", 0, 1, 0.5, 0.05, "%"),
        ),
        Edit(
            "single",
            "A single frame",
            "time",
            "One frame is shown all the time, as a photograph would be.",
            single,
            Strength("the frame at this share of the time", 0, 1, 0.5, 0.05, "%"),
        ),
        Edit(
            "drop",
            "Frames dropped",
            "time",
            "Random frames are lost, and the one before stays in their place.",
            drop,
            Strength("of the frames are lost", 0, 0.95, 0.5, 0.05, "%"),
        ),
        Edit(
            "speed",
            "Another speed",
            "pace",
            "Everything happens faster or slower.",
            speed,
            Strength("times as fast", 0.25, 4, 2, 0.25, "×"),
        ),
        Edit(
            "mirror",
            "Mirrored",
            "picture",
            "Left and right change places; an action to the left counts as the one to the right.",
            mirror,
        ),
        Edit(
            "crop",
            "Cropped",
            "picture",
            "Only the middle of the picture, enlarged.",
            crop,
            Strength("of each side is left", 0.2, 1, 0.6, 0.05, "%"),
        ),
        Edit(
            "darken",
            "Darkened",
            "picture",
            "Less light, and with it fewer levels of grey.",
            darken,
            Strength("of the light is left", 0.02, 1, 0.2, 0.02, "%"),
        ),
        Edit(
            "gamma",
            "Gamma",
            "picture",
            "Dark tones sink and bright ones stay; below 1 the other way round.",
            gamma,
            Strength("as exponent", 0.2, 5, 2.2, 0.1),
        ),
        Edit(
            "noise",
            "Noise",
            "picture",
            "Grain that changes from frame to frame.",
            noise,
            Strength("levels of 255", 0, 100, 25, 5),
        ),
        Edit(
            "blur",
            "Blurred",
            "picture",
            "As if out of focus.",
            blur,
            Strength("of the short side", 0.005, 0.1, 0.02, 0.005, "%"),
        ),
        Edit(
            "jpeg",
            "JPEG",
            "picture",
            "Compressed hard: blocks and false edges.",
            jpeg,
            Strength("quality", 1, 95, 8, 1),
        ),
        Edit(
            "background",
            "Background only",
            "moving",
            "What moves is taken out: the place without the person.",
            background,
        ),
        Edit(
            "person",
            "What moves only",
            "moving",
            "What moves, on grey: the person without the place.",
            person,
        ),
    )
}
"""Every edit by name, those of time first."""


def asked(text: str) -> Asked:
    """'reverse' or 'darken=0.1' as an edit and its strength.

    Raises:
        ChoiceError: there is no such edit, it has no strength, or not that one.
    """
    name, equals, number = (part.strip() for part in str(text).partition("="))
    if name not in EDITS:
        raise ChoiceError(f"No edit is called '{name[:60]}': choose among {', '.join(EDITS)}.")
    edit = EDITS[name]
    if edit.strength is None:
        if equals:
            raise ChoiceError(f"'{name}' has no strength: leave out '={number[:40]}'.")
        return Asked(edit)
    if not equals:
        return Asked(edit, edit.strength.usual)
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not edit.strength.low <= value <= edit.strength.high:
        raise ChoiceError(
            f"The strength of '{name}' is a number from {edit.strength.low:g} to "
            f"{edit.strength.high:g} ({edit.strength.words}), not '{number[:40]}'."
        )
    return Asked(edit, value)


def several(texts: Sequence[str]) -> list[Asked]:
    """Each text as `asked`, in their order and without repeats.

    Raises:
        ChoiceError: there is none, or one of them cannot be asked.
    """
    found = list({str(one): one for one in map(asked, texts)}.values())
    if not found:
        raise ChoiceError(f"No edit is chosen: choose among {', '.join(EDITS)}.")
    return found


def apply(frames: np.ndarray, one: Asked, fps: float = 25.0) -> np.ndarray:
    """A whole clip, edited.

    Args:
        frames: uint8 [T, H, W, 3], RGB.
        one: the edit and its strength.
        fps: frames per second, for what moves.

    Returns:
        uint8 [T', H, W, 3]; T' is T but for another speed.

    Raises:
        ClipError: nothing moves, or the pictures are too small to say so, where that is asked.

    >>> apply(np.zeros((6, 48, 64, 3), np.uint8), asked("speed=2")).shape
    (3, 48, 64, 3)
    """
    numbers = np.arange(len(frames))
    if one.edit.group == "time":
        return frames[one.edit.change(len(frames), one.strength)]
    return pictures(frames, numbers, one, lambda: moving(frames, fps))


def pictures(
    frames: np.ndarray, numbers: np.ndarray, one: Asked, found: Callable[[], Moving]
) -> np.ndarray:
    """Some frames of a clip, edited; for edits of the picture alone.

    Args:
        frames: uint8 [N, H, W, 3].
        numbers: int64 [N], which frames of the clip these are.
        found: gives what moves in the whole clip; called only where it is needed.
    """
    if one.edit.kind == "moving":
        moves = found()
        return one.edit.change(frames, moves.masks[numbers], moves.place)
    return one.edit.change(frames, one.strength, numbers)
