"""The clip again, with every model's prediction at each moment drawn below the picture.

┌──────────────────┐
│     the clip     │
├──────────────────┤
│ model   model    │  the likeliest classes of the window that holds this moment
│ ▇▇▇▇ a  ▇▇▇▇▇ a  │
│ ▇▇ b    ▇ c      │
│ ━━━━━━━━╋━━━━━━━ │  one line per model, coloured by its likeliest class, and the moment
└──────────────────┘
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.writer import write_video
from har_demo.errors import ChoiceError
from har_demo.recognize.prediction import Prediction

READ_AT_ONCE = 64
TALLEST_PICTURE = 860
# Sized so that the words are still read when the video is shown 340 px wide, as on a phone.
TITLE, ROW, MARGIN, GAP = 24, 38, 18, 14
TRACK, PLAYHEAD = 8, 3
SMALL_TEXT, TEXT = 19, 24

BACKGROUND, TROUGH = (19, 27, 33), (36, 48, 57)
SLATE, GREY, WHITE = (84, 99, 110), (148, 163, 172), (241, 245, 247)
# Dark enough for white words on top, and told apart by lightness too.
COLOURS = (
    (31, 148, 136),
    (198, 93, 58),
    (84, 110, 200),
    (176, 74, 138),
    (134, 142, 48),
    (122, 88, 190),
    (60, 132, 180),
    (190, 128, 40),
    (88, 140, 76),
    (160, 66, 76),
)


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels; everything follows from the clip's shape and the number of models."""

    width: int
    picture: tuple[int, int]  # (width, height) of the scaled clip
    box: int  # height of the area that holds the picture
    columns: int
    ranks: int  # classes shown per model
    models: int

    @property
    def block(self) -> int:
        """Height of one model's title and rows."""
        return TITLE + 6 + self.ranks * ROW + GAP

    @property
    def tracks_top(self) -> int:
        rows = -(-self.models // self.columns)
        return self.box + MARGIN + rows * self.block + SMALL_TEXT + 8

    @property
    def height(self) -> int:
        return self.tracks_top + self.models * (TRACK + 4) + MARGIN


def annotate(
    clip: Clip,
    predictions: Prediction | Sequence[Prediction],
    path: Path | str,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write the clip as H.264 with the models' predictions below it.

    Args:
        clip: the clip the predictions are of.
        predictions: one or several; anything else in the list, such as a ModelError, is left out.
        path: where to write; should end in '.mp4'.
        on_progress: called with the share of frames that are done.

    Raises:
        ChoiceError: there is no prediction to draw.
    """
    if isinstance(predictions, Prediction):
        predictions = [predictions]
    predictions = [p for p in predictions if isinstance(p, Prediction)]
    if not predictions:
        raise ChoiceError("No model has answered, so there is nothing to draw on the clip.")
    write_video(path, _pictures(clip, predictions, on_progress or (lambda done: None)), clip.fps)


def window_at(prediction: Prediction, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the window that stands for each frame of the clip: the one whose middle is nearest.

    Returns:
        int64 [frames] numbers of windows, and bool [frames], whether the window really holds the
        frame (windows may leave gaps).
    """
    first, last = prediction.frames.min(axis=1), prediction.frames.max(axis=1)
    moments = np.arange(frames)
    middle = (first + last) / 2
    nearest = np.searchsorted((middle[1:] + middle[:-1]) / 2, moments)
    return nearest, (first[nearest] <= moments) & (moments <= last[nearest])


def _pictures(
    clip: Clip, predictions: Sequence[Prediction], on_progress: Callable[[float], None]
) -> Iterator[np.ndarray]:
    """uint8 [H, W, 3] for every frame of the clip, holding only a few of them at a time."""
    layout = _layout(clip, len(predictions))
    colours = _class_colours(predictions)
    moments = [window_at(p, clip.frames) for p in predictions]
    speaking = np.stack([nearest for nearest, _ in moments], axis=1)
    inside = np.stack([held for _, held in moments], axis=1)
    tracks = _tracks(layout, predictions, moments, colours)

    shown: tuple | None = None
    panel: np.ndarray | None = None
    for start in range(0, clip.frames, READ_AT_ONCE):
        numbers = np.arange(start, min(start + READ_AT_ONCE, clip.frames))
        for number, frame in zip(numbers, read_frames(clip, numbers), strict=True):
            now = (*speaking[number], *inside[number])
            if now != shown:
                shown = now
                panel = _panel(layout, predictions, speaking[number], inside[number], colours)
                panel[layout.tracks_top - layout.box :][: len(tracks)] = tracks
            assert panel is not None
            yield _compose(layout, frame, panel, int(number), clip)
        on_progress((numbers[-1] + 1) / clip.frames)


def _layout(clip: Clip, models: int) -> _Layout:
    landscape = clip.width >= clip.height
    width = 720 if landscape else 480
    scale = min(width / clip.width, TALLEST_PICTURE / clip.height)
    picture = (max(1, round(clip.width * scale)), max(1, round(clip.height * scale)))
    return _Layout(
        width=width,
        picture=picture,
        box=picture[1] + picture[1] % 2,
        columns=2 if landscape and models > 1 else 1,
        ranks=3 if models <= (4 if landscape else 2) else 1,
        models=models,
    )


def _compose(
    layout: _Layout, frame: np.ndarray, panel: np.ndarray, number: int, clip: Clip
) -> np.ndarray:
    """One frame of the result: picture, panel, the moment in time."""
    canvas = np.full((layout.height, layout.width, 3), BACKGROUND, np.uint8)
    width, height = layout.picture
    left = (layout.width - width) // 2
    canvas[:height, left : left + width] = cv2.resize(
        frame, layout.picture, interpolation=cv2.INTER_LINEAR
    )
    canvas[layout.box :] = panel

    top, bottom = layout.tracks_top - 3, layout.height - MARGIN + 3
    span = layout.width - 2 * MARGIN
    x = MARGIN + round((number + 0.5) / clip.frames * span - PLAYHEAD / 2)
    canvas[top:bottom, x : x + PLAYHEAD] = WHITE

    clock = f"{_clock(number / clip.fps)} / {_clock(clip.duration)}"
    image = _text_image(clock, SMALL_TEXT)
    y = layout.tracks_top - SMALL_TEXT - 10
    h, w = image.shape[:2]
    canvas[y : y + h, layout.width - MARGIN - w : layout.width - MARGIN] = image
    return canvas


def _panel(
    layout: _Layout,
    predictions: Sequence[Prediction],
    windows: np.ndarray,
    inside: np.ndarray,
    colours: dict[str, tuple[int, int, int]],
) -> np.ndarray:
    """uint8 [height below the picture, width, 3]: every model's title and bars."""
    image = Image.new("RGB", (layout.width, layout.height - layout.box), BACKGROUND)
    draw = ImageDraw.Draw(image)
    column = (layout.width - MARGIN) // layout.columns
    for number, prediction in enumerate(predictions):
        left = MARGIN + number % layout.columns * column
        right = left + column - MARGIN
        top = MARGIN + number // layout.columns * layout.block
        # A moment that no window holds is shown by the nearest window, and said to be.
        title = prediction.title if inside[number] else f"{prediction.title}, nearest look"
        draw.text((left, top), _fitting(title, SMALL_TEXT, right - left), GREY, _font(SMALL_TEXT))
        top += TITLE + 6
        for name, probability in prediction.top(layout.ranks, int(windows[number])):
            colour = colours.get(name, SLATE) if inside[number] else SLATE
            _bar(draw, (left, top, right, top + ROW - 6), name, probability, colour)
            top += ROW
    return np.array(image)


def _bar(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    name: str,
    probability: float,
    colour: tuple[int, int, int],
) -> None:
    """A bar as long as the probability, with the class's name on it and the percentage."""
    left, top, right, bottom = box
    draw.rounded_rectangle(box, radius=5, fill=TROUGH)
    length = round((right - left) * probability)
    if length >= 2:
        draw.rounded_rectangle(
            (left, top, left + length, bottom), radius=min(5, length // 2), fill=colour
        )
    middle = (top + bottom) // 2
    percent = f"{probability:.0%}"
    draw.text((right - 8, middle), percent, WHITE, _font(TEXT), anchor="rm")
    room = right - left - 24 - _font(TEXT).getlength(percent)
    draw.text((left + 8, middle), _fitting(name, TEXT, room), WHITE, _font(TEXT), anchor="lm")


def _tracks(
    layout: _Layout,
    predictions: Sequence[Prediction],
    moments: Sequence[tuple[np.ndarray, np.ndarray]],
    colours: dict[str, tuple[int, int, int]],
) -> np.ndarray:
    """uint8 [models × (TRACK + 4), width, 3]: the likeliest class over time, a line per model."""
    tracks = np.full((layout.models * (TRACK + 4), layout.width, 3), BACKGROUND, np.uint8)
    span = layout.width - 2 * MARGIN
    for number, (prediction, (nearest, held)) in enumerate(zip(predictions, moments, strict=True)):
        best = prediction.scores.argmax(axis=1)
        frame = np.arange(span) * len(nearest) // span
        line = np.array([colours[prediction.classes[i]] for i in best], np.uint8)[nearest[frame]]
        line[~held[frame]] = TROUGH
        top = number * (TRACK + 4)
        tracks[top : top + TRACK, MARGIN : MARGIN + span] = line
    return tracks


def _class_colours(predictions: Sequence[Prediction]) -> dict[str, tuple[int, int, int]]:
    """A colour for every class a window was surest of; the commonest classes come first."""
    votes: dict[str, int] = {}
    for prediction in predictions:
        for i in prediction.scores.argmax(axis=1):
            name = prediction.classes[i]
            votes[name] = votes.get(name, 0) + 1
    ranked = sorted(votes, key=lambda name: (-votes[name], name))
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(ranked)}


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # any other kind comes without a size
    return font


def _fitting(text: str, size: int, room: float) -> str:
    """The text, cut with an ellipsis where it does not fit into `room` pixels."""
    font = _font(size)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return text.rstrip() + "..."


@lru_cache(64)
def _text_image(text: str, size: int) -> np.ndarray:
    """uint8 [h, w, 3]: grey words on the background."""
    font = _font(size)
    image = Image.new("RGB", (int(font.getlength(text)) + 1, size + 4), BACKGROUND)
    ImageDraw.Draw(image).text((0, 0), text, GREY, font)
    return np.array(image)


def _clock(seconds: float) -> str:
    """75.26 becomes '1:15.3'."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
