"""Random changes of training clips that keep their action.

    when     another start, another speed, backwards where that has a name
    where    another crop and aspect, mirrored, a camera that pans
    what     a still frame of another clip laid over it: what stands still says nothing of the action
    light    grey, gamma, brightness, sensor noise: ARID is filmed in the dark

Optical flow is moved as its frames are (`augment_flow`). How much of it all is in protocol.toml. All is
drawn per clip and done on the device for a batch at once.
"""

import math
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.labels import BACKWARDS, EVERYDAY, MIRRORED
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.protocol import Protocol

MIRROR: tuple[int, ...] = tuple(EVERYDAY.index(MIRRORED.get(name, name)) for name in EVERYDAY)
"""For each class, what it becomes when left and right change places."""


def eased(protocol: Protocol, strength: float | Tensor) -> Protocol:
    """The protocol with everything that makes a clip harder to see brought down to a share `strength`.

    At 0 clips are as they were rendered, but for their mirror image and playing backwards, which make
    nothing harder. Of a tensor [] its numbers are such tensors.
    """
    shares = ("drift", "drifting", "blend", "grey", "relight", "noisy")
    factors = ("speed", "aspect", "gamma")
    return replace(
        protocol,
        smallest_crop=1 - strength * (1 - protocol.smallest_crop),
        **{name: strength * getattr(protocol, name) for name in shares},
        **{name: getattr(protocol, name) ** strength for name in factors},
    )


def draw_windows(
    footage: VideoDataset,
    clips: Tensor,
    frames: int,
    fps: float,
    protocol: Protocol,
    segments: bool = False,
) -> tuple[Tensor, Tensor]:
    """A random window of each clip.

    Args:
        footage: where the clips are.
        clips: int64 [B], which clips.
        frames: T, frames of a window.
        fps: how many of them make a second, before the speed changes.
        protocol: how much may change.
        segments: instead, a random frame of each of T equal parts of the whole clip, as TSN is trained;
            `fps` and the protocol's speed then do not matter.

    Returns:
        int64 [B, T] positions in `footage.frames` and int64 [B] labels.
    """
    count = footage.count[clips]
    steps = torch.arange(frames, device=clips.device)
    if segments:
        moments = steps + _uniform(steps.expand(len(clips), -1))
        within = moments * (count / frames)[:, None]
    else:
        stride = footage.fps[clips] / fps * _log_uniform(clips, protocol.speed)
        room = (count - (frames - 1) * stride - 1).clamp(min=0)
        within = (_uniform(clips) * room)[:, None] + steps * stride[:, None]
    within = torch.minimum(within.floor().long(), count[:, None] - 1)

    labels = footage.labels[clips]
    becomes = constant(BACKWARDS, clips.device)[labels]
    backwards = (becomes >= 0) & _chance(clips, protocol.backwards)
    within = torch.where(backwards[:, None], within.flip(1), within)
    return footage.first[clips][:, None] + within, torch.where(backwards, becomes, labels)


def mirror(labels: Tensor, protocol: Protocol) -> tuple[Tensor, Tensor]:
    """Draw the clips of a batch to be mirrored, bool [B]; return them and the labels, int64 [B], which change where
    left and right matter.
    """
    mirrored = _chance(labels, protocol.mirror)
    return mirrored, torch.where(mirrored, constant(MIRROR, labels.device)[labels], labels)


def augment(frames: Tensor, mirrored: Tensor, size: tuple[int, int], protocol: Protocol) -> Tensor:
    """Move, cover and light a batch of windows differently.

    Args:
        frames: uint8 [B, T, 3, S, S].
        mirrored: bool [B], as `mirror` draws it.
        size: (height, width) of the result.
        protocol: how much may change.

    Returns:
        float32 [B, T, 3, height, width] in [0, 1], as a camera with 8 bits would give it.
    """
    moved = _move(frames, _places(mirrored, frames.shape[1], protocol), size)
    return _light(_cover(moved, protocol), protocol)


def augment_flow(
    fields: Tensor,
    frames: Tensor | None,
    pictures: tuple[int, ...],
    mirrored: Tensor,
    size: tuple[int, int],
    protocol: Protocol,
) -> tuple[Tensor, Tensor | None]:
    """Move windows of optical flow, and the frames that go with them, as one camera would see both.

    A crop makes vectors longer, another aspect turns them, a mirror sends right to left, and a camera
    that pans takes its own motion off. Light is the frames' alone.

    Args:
        fields: float [B, T, 2, s, s], pixels.
        frames: uint8 [B, P, 3, S, S], or None where the network sees flow alone.
        pictures: which of the T + 1 moments they show.
        mirrored: bool [B], as `mirror` draws it.
        size: (height, width) of the result.
        protocol: how much may change.

    Returns:
        float32 [B, T, 2, height, width] in pixels of that size, and the frames as `augment` gives them.
    """
    places = _places(mirrored, fields.shape[1] + 1, protocol)
    seen = _move(fields, places[:, :-1], size)
    moved = []
    for axis, (before, after) in enumerate(zip(fields.shape[:-3:-1], size[::-1], strict=True)):
        # Half a picture is 1 in places.
        panned = places[:, 1:, axis, 2] - places[:, :-1, axis, 2]
        own = seen[:, :, axis] / (before / 2) - panned[..., None, None]
        moved.append(own / places[:, :-1, axis, axis, None, None] * (after / 2))
    if frames is not None:
        shown = torch.stack([places[:, moment] for moment in pictures], dim=1)
        frames = _light(_cover(_move(frames, shown, size), protocol), protocol)
    return torch.stack(moved, dim=2), frames


def _places(mirrored: Tensor, t: int, protocol: Protocol) -> Tensor:
    """Of t frames a random crop, some of them mirrored, most of them drifting: float [B, t, 2, 3].

    As affine_grid wants it: a place of the result, from −1 to 1 across it, is taken to one of the frame.
    """
    b = len(mirrored)
    one = torch.empty(b, device=mirrored.device)
    side = protocol.smallest_crop + (1 - protocol.smallest_crop) * _uniform(one)
    aspect = _log_uniform(one, protocol.aspect).sqrt()
    half_w, half_h = (side * aspect).clamp(max=1), (side / aspect).clamp(max=1)
    x = (2 * _uniform(one) - 1) * (1 - half_w)
    y = (2 * _uniform(one) - 1) * (1 - half_h)

    # A hand-held camera pans at some speed, which wavers.
    speed = torch.randn(b, 1, 2, device=one.device)
    speed = speed + torch.randn(b, t, 2, device=one.device).cumsum(1) / math.sqrt(t)
    drift = (2 * protocol.drift * speed * _uniform(one)[:, None, None]).cumsum(1)
    drift = (drift - drift.mean(1, keepdim=True)) * _chance(one, protocol.drifting)[:, None, None]

    theta = torch.zeros(b, t, 2, 3, device=one.device)
    theta[..., 0, 0] = torch.where(mirrored, -half_w, half_w)[:, None]
    theta[..., 1, 1] = half_h[:, None]
    theta[..., 0, 2] = x[:, None] + drift[..., 0]
    theta[..., 1, 2] = y[:, None] + drift[..., 1]
    return theta


def _move(frames: Tensor, places: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames [B, T, C, h, w] as seen at their places; bytes become 0 to 1."""
    b, t, channels = frames.shape[:3]
    grid = F.affine_grid(places.flatten(0, 1), [b * t, channels, *size], align_corners=False)
    flat = frames.flatten(0, 1).float()
    if frames.dtype == torch.uint8:
        flat = flat / 255
    moved = F.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    return moved.unflatten(0, (b, t))


def _cover(x: Tensor, protocol: Protocol) -> Tensor:
    """One frame of another clip of the batch lies over all frames of some clips."""
    one = torch.empty(len(x), 1, 1, 1, 1, device=x.device)
    frame = torch.randint(x.shape[1], (1,), device=x.device)
    others = torch.rand(len(x), device=x.device).argsort()
    still = x.index_select(1, frame)[others]
    share = protocol.blend_most * _uniform(one) * _chance(one, protocol.blend)
    return torch.lerp(x, still, share)


def _light(x: Tensor, protocol: Protocol) -> Tensor:
    """Sometimes grey, another gamma, lit or dimmed to another brightness, noisy, rounded to 8 bits."""
    one = torch.empty(len(x), 1, 1, 1, 1, device=x.device)
    grey = x.mean(dim=2, keepdim=True)
    x = torch.lerp(x, grey, _chance(one, protocol.grey).float())
    x = x.clamp(min=1e-4) ** _log_uniform(one, protocol.gamma)
    mean = x.mean(dim=(1, 2, 3, 4), keepdim=True).clamp(min=0.01)
    darkest, brightest = protocol.darkest, protocol.brightest
    brightness = darkest * (brightest / darkest) ** _uniform(one)
    brightness = torch.where(_chance(one, protocol.relight), brightness, mean)
    noise = protocol.noise * brightness * _uniform(one) * _chance(one, protocol.noisy)
    x = x * (brightness / mean) + noise * torch.randn_like(x)
    return x.clamp(0, 1).mul(255).round().div(255)


@cache
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """The numbers on the device, put there once: every copy to a GPU waits until it has nothing to do."""
    return torch.tensor(values, device=device)


def _uniform(like: Tensor) -> Tensor:
    """As many numbers in [0, 1)."""
    return torch.rand(like.shape, device=like.device)


def _chance(like: Tensor, share: float) -> Tensor:
    """As many booleans, true for about this share."""
    return _uniform(like) < share


def _log_uniform(like: Tensor, most: float) -> Tensor:
    """As many factors between 1 / most and most, their logarithm uniform."""
    return most ** (2 * _uniform(like) - 1)
