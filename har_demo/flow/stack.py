"""Optical flow as a temporal stream takes it, and its memory beside that of the frames.

    L + 1 frames ──resized──▶ L fields ──clipped to ±limit, divided by it──▶ x₁ y₁ x₂ y₂ … : 2L channels
       uint8                   float32

What is measured are the arrays themselves, and pictures of them compressed as the paper kept them on disk:
whole numbers from 0 to 255 as JPEG (Simonyan and Zisserman, NIPS 2014).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.sampling import dense
from har_demo.clips.transforms import crop_boxes
from har_demo.errors import ClipError
from har_demo.flow.views import METHOD, as_input, step_fields
from har_demo.models.card import ModelInput

QUALITY = 90  # of JPEG


@dataclass(frozen=True)
class Stack:
    """One view of a stream of flow.

    Attributes:
        frames: int64 [L + 1], the clip's frames it came from.
        pictures: uint8 [L + 1, h, w, 3], those frames at the size of the fields.
        pixels: float32 [L, 2, h, w], the fields, pixels of the resized picture.
        channels: float32 [2 L, h, w], −1 to 1: what the network is given.
        limit: pixels that become 1.
        clipped: share of all displacements that are longer than that.
    """

    frames: np.ndarray
    pictures: np.ndarray
    pixels: np.ndarray
    channels: np.ndarray
    limit: float
    clipped: float


@dataclass(frozen=True)
class Memory:
    """Bytes of one thing, and how many times as many that is as the frames."""

    what: str
    shape: str
    bytes: int
    times: float


def stack(clip: Clip, spec: ModelInput, first: int, method: str = METHOD) -> Stack:
    """The fields from a frame on, as a network of input `spec` is given them.

    Args:
        clip: from har_demo.clips.ingest.
        spec: of modality 'flow'.
        first: the frame that the stack begins with; earlier, where the clip would end too soon.
        method: a key of har_demo.flow.field.TITLES.

    Raises:
        ClipError: the clip has one frame only.
        ChoiceError, WeightsError: the method is not at hand.
    """
    if clip.frames < 2:
        raise ClipError(
            "This clip is a single picture, and flow is what moves between two: take a longer clip."
        )
    stride = clip.fps / spec.fps
    count = spec.flow_frames + 1
    first = max(0, min(first, clip.frames - 1 - int(np.ceil((count - 1) * stride))))
    numbers = dense(clip.frames, count, stride, first)
    distinct, place = np.unique(numbers, return_inverse=True)
    decoded = read_frames(clip, distinct)
    steps = np.stack([numbers[:-1], numbers[1:], np.diff(numbers)], axis=1)
    found = step_fields(decoded, distinct, steps, stride, spec, method=method)[0]
    left, top, right, bottom = crop_boxes(spec, clip.width, clip.height)[0]
    size = spec.crop[::-1]
    cut = decoded[place, top:bottom, left:right]
    pictures = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in cut])
    return Stack(
        frames=numbers,
        pictures=pictures,
        pixels=found.numpy(),
        channels=as_input(found, spec.flow_limit).flatten(0, 1).numpy(),
        limit=spec.flow_limit,
        clipped=float((found.abs() > spec.flow_limit).float().mean()),
    )


def memory(one: Stack) -> list[Memory]:
    """Measure the memory of frames and of their flow, as arrays and as JPEG files.

    >>> for row in memory(stack(clip, card("two_stream_temporal").input, 0)):
    ...     print(row.what, row.bytes, round(row.times, 2))
    frames, a byte a colour 1655808 1.0
    ...
    """
    levels = as_bytes(one.channels)
    frames, fields_ = one.pictures.nbytes, one.pixels.nbytes
    frames_jpeg = sum(_jpeg(picture) for picture in one.pictures)
    fields_jpeg = sum(_jpeg(channel) for channel in levels)

    def shape(array: np.ndarray) -> str:
        return " × ".join(map(str, array.shape))

    return [
        Memory("frames, a byte a colour", shape(one.pictures), frames, 1.0),
        Memory("flow, a float (4 bytes) a number", shape(one.pixels), fields_, fields_ / frames),
        Memory(
            "flow, rounded to a byte a number", shape(levels), levels.nbytes, levels.nbytes / frames
        ),
        Memory("frames as JPEG", shape(one.pictures), frames_jpeg, frames_jpeg / frames),
        Memory("flow as JPEG, rounded", shape(levels), fields_jpeg, fields_jpeg / frames),
    ]


def as_bytes(channels: np.ndarray) -> np.ndarray:
    """Channels −1 to 1 as uint8: mid-grey stands still, white is the limit to the right or down."""
    return ((channels + 1) * 127.5).round().astype(np.uint8)


def _jpeg(picture: np.ndarray) -> int:
    done, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as JPEG")
    return content.size
