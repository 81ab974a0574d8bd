"""Drawn people for training: moving skeletons as capsules, thousands of clips at once on the GPU.

The few real clips show few people in few places, always from the same side. A drawn person can be
anybody, anywhere, seen from any side:

    skeleton [T, 20, 3] ──camera──▶ capsules in the picture ──nearest capsule per pixel──▶ frames

Skeletons come from har_demo.people.motion and, where the folder is given, from the recordings of
UTD-MHAD (Chen et al., ICIP 2015). har_demo.people.figure draws one clip for people to look at; this
draws many, crudely, for a network.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.labels import EVERYDAY
from har_demo.people import motion
from har_demo.people.skeleton import JOINTS
from har_demo.training.data import SIDE, Footage, footage

FPS = 25
FRAMES = 60  # 2.4 seconds: a window of 17 frames at 8 fps, and room to move it

ACTIONS = {
    "bend": "bending down",
    "jumping_jack": "jumping jack",
    "jump": "jumping",
    "jump_in_place": "jumping in place",
    "run": "running",
    "side": "galloping sideways",
    "skip": "skipping",
    "walk": "walking",
    "wave_one_hand": "waving one hand",
    "wave_both_hands": "waving both hands",
    "sit_down": "sitting down",
    "stand_up": "standing up",
    "turn": "turning around",
}
"""What har_demo.people.motion calls our classes."""

RECORDINGS = {
    "a03": "waving one hand",
    "a22": "running",
    "a23": "walking",
    "a24": "standing up",
    "a25": "sitting down",
}
"""What UTD-MHAD calls our classes."""

# A person as capsules: two joints, radius in metres, and what it is clothed in.
_SKIN, _HAIR, _SHIRT, _TROUSERS, _SHOES = range(5)
_CAPSULES = (
    ("head", "head", 0.105, _HAIR),
    ("head", "neck", 0.06, _SKIN),
    ("neck", "hip centre", 0.12, _SHIRT),
    ("left shoulder", "left hip", 0.09, _SHIRT),
    ("right shoulder", "right hip", 0.09, _SHIRT),
    ("left shoulder", "right shoulder", 0.07, _SHIRT),
    ("left hip", "right hip", 0.10, _TROUSERS),
    ("left shoulder", "left elbow", 0.052, _SHIRT),
    ("right shoulder", "right elbow", 0.052, _SHIRT),
    ("left elbow", "left hand", 0.04, _SKIN),
    ("right elbow", "right hand", 0.04, _SKIN),
    ("left hip", "left knee", 0.075, _TROUSERS),
    ("right hip", "right knee", 0.075, _TROUSERS),
    ("left knee", "left ankle", 0.055, _TROUSERS),
    ("right knee", "right ankle", 0.055, _TROUSERS),
    ("left ankle", "left foot", 0.045, _SHOES),
    ("right ankle", "right foot", 0.045, _SHOES),
)
_FROM = torch.tensor([JOINTS.index(capsule[0]) for capsule in _CAPSULES])
_TO = torch.tensor([JOINTS.index(capsule[1]) for capsule in _CAPSULES])
_RADIUS = torch.tensor([capsule[2] for capsule in _CAPSULES])
_CLOTH = torch.tensor([capsule[3] for capsule in _CAPSULES])


@dataclass(frozen=True)
class Skeleton:
    """float32 [T, 20, 3] in metres, y up, FPS frames a second, and the class it shows."""

    joints: np.ndarray
    label: int


def procedural(count: int, seed: int) -> list[Skeleton]:
    """`count` invented motions, every class as often as the others; half of the jumps are single."""
    chance = np.random.default_rng(seed)
    skeletons = []
    for i in range(count):
        action, name = list(ACTIONS.items())[i % len(ACTIONS)]
        single = action == "jump" and chance.random() < 0.5
        if single:
            action = chance.choice(["jump", "jump_in_place"])
        joints = motion.move(action, seed + i, FRAMES / FPS, FPS).joints
        if single:
            joints = once(joints, chance)
        skeletons.append(Skeleton(joints, EVERYDAY.index(name)))
    return skeletons


def once(joints: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Repeated jumps become a single one: stand, crouch, jump, land, stand."""
    feet = joints[:, [JOINTS.index("left foot"), JOINTS.index("right foot")], 1].min(axis=1)
    airborne = feet > feet.min() + 0.03
    landings = np.flatnonzero(airborne[:-1] & ~airborne[1:]) + 1
    begin, end = landings[:2]
    slow = chance.uniform(1.0, 1.7)
    jump = np.linspace(begin, end, round((end - begin) * slow)).round().astype(int)
    still = max(FRAMES - len(jump), 0)
    before = round(still * chance.uniform(0.1, 0.9))
    return np.pad(joints[jump], ((before, still - before), (0, 0), (0, 0)), mode="edge")


def recorded(folder: Path, seed: int) -> list[Skeleton]:
    """UTD-MHAD's recordings of our classes; people who walk or run on the spot are set going."""
    chance = np.random.default_rng(seed)
    skeletons = []
    with np.load(folder / "skeletons.npz") as recordings:
        for name in recordings.files:
            action = RECORDINGS.get(name.split("_")[0])
            if action is None:
                continue
            joints = _steady(recordings[name].astype(np.float32) / 1000, rate=30)
            hip_x, _, hip_z = joints[:, JOINTS.index("hip centre")].mean(0)
            joints -= np.array([hip_x, joints[..., 1].min(), hip_z])
            if action in ("walking", "running") and chance.random() < 0.7:
                speed = chance.uniform(0.8, 1.5) * (2 if action == "running" else 1)
                moment = (np.arange(len(joints)) - len(joints) / 2) / FPS
                joints[..., 2] -= (speed * moment)[:, None]  # they face the sensor, at smaller z
            skeletons.append(Skeleton(joints, EVERYDAY.index(action)))
    return skeletons


def _steady(joints: np.ndarray, rate: float) -> np.ndarray:
    """The sensor's tremble averaged away over five frames, at FPS frames a second."""
    padded = np.pad(joints, ((2, 2), (0, 0), (0, 0)), mode="edge")
    smooth = np.mean([padded[i : i + len(joints)] for i in range(5)], axis=0)
    moments = np.arange(0, len(joints) - 1, rate / FPS)
    low = moments.astype(int)
    share = (moments - low)[:, None, None]
    return ((1 - share) * smooth[low] + share * smooth[low + 1]).astype(np.float32)


def rendered_footage(
    count: int, recordings: Path | None, seed: int, device: torch.device | str, side: int = SIDE
) -> Footage:
    """About `count` drawn clips; with recordings, one in five shows one of them.

    Every clip has another camera, other clothes and another place. Each class is drawn equally often.
    """
    skeletons = procedural(count - count // 5 if recordings else count, seed)
    if recordings:
        known = recorded(recordings, seed)
        chance = np.random.default_rng(seed)
        skeletons += [known[i] for i in chance.integers(len(known), size=count // 5)]
    generator = torch.Generator(device).manual_seed(seed)
    clips = [draw(torch.from_numpy(one.joints).to(device), generator, side) for one in skeletons]
    labels = [skeleton.label for skeleton in skeletons]
    result = footage(
        clips,
        fps=[FPS] * len(clips),
        labels=labels,
        weights=[1 / labels.count(label) for label in labels],
    )
    return result.to(torch.device(device))


def draw(joints: Tensor, generator: torch.Generator, side: int = SIDE) -> Tensor:
    """One clip of one person.

    Args:
        joints: float32 [T, 20, 3] in metres, y up.
        generator: draws camera, clothes, place; on the joints' device.
        side: of the square picture, in pixels.

    Returns:
        uint8 [T, 3, side, side].
    """

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        number = torch.rand(shape, generator=generator, device=joints.device)
        return low + (high - low) * number

    seen, focal = _look(joints, uniform)
    depth = seen[..., 2].clamp(min=0.3)
    points = focal * seen[..., :2] / depth[..., None]  # the picture is [-1, 1] wide and high
    pan = _pan(points[:, JOINTS.index("hip centre")], uniform)
    points = points + pan[:, None]

    a, b = points[:, _FROM], points[:, _TO]  # [T, capsules, 2]
    near = (depth[:, _FROM] + depth[:, _TO]) / 2
    radius = _RADIUS.to(joints.device) * uniform(0.85, 1.3) * focal / near

    line = torch.linspace(-1, 1, side, device=joints.device)
    pixel = torch.stack(torch.meshgrid(line, -line, indexing="xy"), -1).view(-1, 2)
    ab = b - a
    ap = pixel[None, None] - a[:, :, None]  # [T, capsules, pixels, 2]
    along = (ap * ab[:, :, None]).sum(-1) / (ab * ab).sum(-1).clamp(min=1e-6)[..., None]
    along = along.clamp(0, 1)
    off = ap - along[..., None] * ab[:, :, None]
    inside = off.norm(dim=-1) / radius[..., None]  # below 1 inside the capsule

    # The surface of the capsule nearest to the camera covers the others.
    bulge = (1 - inside.square()).clamp(min=0).sqrt()
    order = near[..., None] - bulge * radius[..., None] * near[..., None] / focal
    order = order.masked_fill(inside >= 1, math.inf)
    distance, which = order.min(dim=1)  # [T, pixels]

    def of_nearest(values: Tensor) -> Tensor:
        return values.gather(1, which[:, None])[:, 0]

    light = uniform(-1, 1, 2)
    normal = off / radius[..., None, None]
    shade = 0.65 + 0.35 * of_nearest(bulge) + 0.25 * of_nearest((normal * light).sum(-1))
    cloth = 0.6 * uniform(0, 0.95, 5, 1) + 0.4 * uniform(0, 0.95, 5, 3)
    stripes = uniform(2, 14, 5)
    contrast = uniform(0, 0.5, 5) * (uniform(0, 1, 5) < 0.4)
    kind = _CLOTH.to(joints.device)[which]
    pattern = 1 - contrast[kind] * (torch.sin(6 * stripes[kind] * of_nearest(along)) > 0)
    person = cloth[kind] * (shade * pattern)[..., None]

    place = _place(pan, uniform, side)
    frames = torch.where((distance < math.inf)[..., None], person, place)
    frames = frames.view(len(joints), side, side, 3).permute(0, 3, 1, 2)
    return (frames.clamp(0, 1) * 255).to(torch.uint8)


def _look(joints: Tensor, uniform) -> tuple[Tensor, Tensor]:
    """The joints as a random camera sees them (x right, y up, z ahead), and its focal length."""
    hip = joints[:, JOINTS.index("hip centre")]
    head = joints[:, JOINTS.index("head")]
    target = (hip.amin(0) + hip.amax(0)) / 2
    target = torch.stack([target[0], head[:, 1].amax(), target[2]])
    azimuth, elevation = uniform(-math.pi, math.pi), uniform(-0.1, 0.45)
    sin, cos = azimuth.sin(), azimuth.cos()
    zero, one = torch.zeros_like(sin), torch.ones_like(sin)
    turn = torch.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos]).view(3, 3)
    sin, cos = elevation.sin(), elevation.cos()
    tilt = torch.stack([one, zero, zero, zero, cos, sin, zero, -sin, cos]).view(3, 3)
    seen = (joints - target) @ turn.T @ tilt.T

    # A standing person takes half of the picture's height, or more than it holds; whoever crosses
    # the picture stays in it for most of the way, and the head is in the upper half.
    away = uniform(2.2, 6.0)
    focal = uniform(0.5, 1.4) * away / 0.85
    crossing = seen[:, JOINTS.index("hip centre"), 0]
    focal = torch.minimum(focal, 2.5 * away / (crossing.amax() - crossing.amin()).clamp(min=0.1))
    shift = torch.stack([uniform(-0.4, 0.4), uniform(0.3, 0.9), zero]) * away / focal
    return seen + shift + torch.stack([zero, zero, away]), focal


def _pan(hip: Tensor, uniform) -> Tensor:
    """How a hand-held camera moves the picture, [T, 2]: it follows some people, and always wavers."""
    follow = uniform(0, 1) * (uniform(0, 1) < 0.5)
    behind = F.avg_pool1d(hip.clamp(-3, 3).T, 9, stride=1, padding=4, count_include_pad=False).T
    waver = uniform(-1, 1, *hip.shape).cumsum(0).cumsum(0) * 3e-4 * uniform(0, 1)
    return -follow * (behind - behind.mean(0)) + waver


def _place(pan: Tensor, uniform, side: int) -> Tensor:
    """A made-up background behind a moving camera: blotches, coarse and fine, and some boxes.

    Args:
        pan: [T, 2] how far the picture is moved right and up; 2 is its width.

    Returns:
        float [T, side * side, 3].
    """
    wide = 2 * side
    picture = uniform(0.05, 0.8, 1, 3, 1, 1).expand(1, 3, wide, wide).clone()
    for cells in (6, 18, 60):
        blotches = uniform(-1, 1, 1, 3, cells, cells) * uniform(0, 0.25)
        blotches = 0.6 * blotches.mean(1, keepdim=True) + 0.4 * blotches
        picture += F.interpolate(blotches, (wide, wide), mode="bilinear")
    for _ in range(16):
        x0, y0, width, height = (uniform(0, 1, 4) * wide).int().tolist()
        colour = uniform(0.05, 0.9, 1, 3, 1, 1)
        picture[:, :, y0 : y0 + height // 3, x0 : x0 + width // 3] = colour
    theta = torch.zeros(len(pan), 2, 3, device=pan.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 0.5  # the frame shows the middle half of the picture
    theta[:, 0, 2], theta[:, 1, 2] = -pan[:, 0] / 2, pan[:, 1] / 2
    grid = F.affine_grid(theta, [len(pan), 3, side, side], align_corners=False)
    seen = F.grid_sample(
        picture.expand(len(pan), -1, -1, -1), grid, padding_mode="reflection", align_corners=False
    )
    return seen.permute(0, 2, 3, 1).reshape(len(pan), -1, 3)
