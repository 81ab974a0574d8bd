"""Places: rooms, halls and streets with things standing about, and the light in them.

Nothing here looks at the action: a place is drawn from the seed, the camera and the way the person
takes, so that no model can learn the action from the background.
"""

import colorsys
from dataclasses import dataclass

import numpy as np

from har_demo.research.people.camera import NOTHING, Camera
from har_demo.research.people.texture import BLOTCHES, CHECKS, PATTERNS, PLAIN, STRIPES, TILES
from har_demo.research.people.things import NOWHERE, Box, Surface

CLUTTER = 7  # boxes in every place
DISTRACTORS = 2  # things that move in every place, if only out of sight
SKIN = ((0.84, 0.60, 0.45), (0.66, 0.42, 0.29), (0.36, 0.21, 0.14), (0.90, 0.68, 0.54))
HAIR = ((0.06, 0.04, 0.03), (0.25, 0.15, 0.07), (0.42, 0.30, 0.14), (0.35, 0.34, 0.33))


@dataclass(frozen=True)
class Place:
    """One place, metres, y up.

    Attributes:
        low, high: [3] corners; the floor is at low[1] = 0.
        floor, ceiling, walls: their surfaces; a street's ceiling is the sky.
        boxes: CLUTTER of them.
        movers: float [T, DISTRACTORS, 3], middles of balls that move with no meaning.
        mover_radius: float [DISTRACTORS].
        mover_surfaces: of the balls.
        light: [3] unit vector towards the light.
        sunlight, skylight: [3] strength and colour of the light from there and from all sides.
        outdoors: whether it is a street rather than a room.
    """

    low: np.ndarray
    high: np.ndarray
    floor: Surface
    ceiling: Surface
    walls: Surface
    boxes: tuple[Box, ...]
    movers: np.ndarray
    mover_radius: np.ndarray
    mover_surfaces: tuple[Surface, ...]
    light: np.ndarray
    sunlight: np.ndarray
    skylight: np.ndarray
    outdoors: bool


def place(
    joints: np.ndarray,
    camera: Camera,
    fps: float,
    chance: np.random.Generator,
    calm: bool = False,
    things: np.ndarray = NOTHING,
) -> Place:
    """A random place around a motion, its camera, and the things it is about.

    Args:
        joints: [T, 20, 3]; only the room they take matters.
        camera: must be inside, too.
        fps: of both; movers keep their speed.
        chance: draws everything.
        calm: few things, nothing that moves or stands in the way: for people to look at.
        things: [N, 3], outermost points of what stands still and belongs to the motion.
    """
    inside = np.concatenate([joints.reshape(-1, 3), camera.place, things])
    outdoors = chance.random() < 0.3
    margin = chance.uniform(6, 25, 2) if outdoors else chance.uniform(0.8, 3.5, 2)
    low = inside.min(0) - np.array([margin[0], 0, margin[0]])
    high = inside.max(0) + np.array([margin[1], chance.uniform(0.4, 1.5), margin[1]])
    low[1], high[1] = 0.0, max(high[1], 9.0 if outdoors else 2.4)

    # Each thing has chances of its own: how long it looks for a spot changes nothing else.
    *standing, before, moving = chance.spawn(CLUTTER - 1)
    boxes = [_picture(low, high, chance) for _ in range(2)]
    shown = np.concatenate([joints, np.broadcast_to(things, (len(joints), *things.shape))], 1)
    boxes += [_furniture(shown, camera, outdoors, own) for own in standing]
    in_the_way = not calm and before.random() < 0.15
    boxes.append(_occluder(joints, camera, before) if in_the_way else _hidden())
    if calm:
        boxes[4:] = [_hidden()] * (CLUTTER - 4)

    elevation, azimuth = chance.uniform(0.75, 1.3), chance.uniform(-np.pi, np.pi)
    light = np.array(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
            np.cos(elevation) * np.cos(azimuth),
        ]
    )
    warm = chance.uniform(-0.12, 0.12) * np.array([1.0, 0.0, -1.0])
    floor_like, wall_like = (STRIPES, CHECKS, BLOTCHES, TILES), (PLAIN, BLOTCHES, TILES)
    return Place(
        low=low,
        high=high,
        floor=surface(chance, floor_like, scales=(0.6, 3.0), light=(0.15, 0.6)),
        ceiling=Surface((0.55, 0.7, 0.95), (0.9, 0.92, 0.95), BLOTCHES, 0.05, 0.0)
        if outdoors
        else Surface((0.75, 0.74, 0.72)),
        walls=surface(chance, wall_like, scales=(0.3, 1.5), light=(0.25, 0.8), vivid=0.45),
        boxes=tuple(boxes),
        movers=_movers(joints, camera, fps, moving, calm),
        mover_radius=chance.uniform(0.08, 0.35, DISTRACTORS),
        mover_surfaces=tuple(surface(chance) for _ in range(DISTRACTORS)),
        light=light,
        sunlight=(0.75 + warm) * chance.uniform(0.7, 1.25),
        skylight=(0.38 - warm) * chance.uniform(0.7, 1.3),
        outdoors=bool(outdoors),
    )


def surface(
    chance: np.random.Generator,
    patterns: tuple[int, ...] = tuple(range(PATTERNS)),
    scales: tuple[float, float] = (1.5, 12.0),
    light: tuple[float, float] = (0.1, 0.85),
    vivid: float = 0.9,
) -> Surface:
    """Any colours and one of the patterns; `vivid` is the most saturation."""
    base = colour(chance, light, vivid)
    strength = chance.uniform(0.15, 0.9)
    second = tuple(b + strength * (o - b) for b, o in zip(base, colour(chance, light), strict=True))
    return Surface(
        base,
        second,
        int(chance.choice(patterns)),
        float(np.exp(chance.uniform(*np.log(scales)))),
        float(chance.uniform(0.08, 0.45)),
    )


def colour(
    chance: np.random.Generator, light: tuple[float, float] = (0.1, 0.85), vivid: float = 0.9
) -> tuple[float, float, float]:
    """A linear RGB colour."""
    return colorsys.hsv_to_rgb(chance.random(), chance.uniform(0.05, vivid), chance.uniform(*light))


# Hues from 0 to 1: up to each the colour is called so.
_HUES = (
    *((0.03, "red"), (0.11, "orange"), (0.19, "yellow"), (0.44, "green"), (0.53, "turquoise")),
    *((0.71, "blue"), (0.83, "purple"), (0.95, "pink"), (1.0, "red")),
)


def colour_name(one: Surface) -> str:
    """Return the name of the colour of a plain surface, such as "red"; "" where it has a pattern."""
    if one.pattern != PLAIN:
        return ""
    hue, saturation, value = colorsys.rgb_to_hsv(*one.base)
    if value < 0.06:
        return "black"
    if saturation < 0.25:
        return "white" if value > 0.6 else "grey"
    name = next(name for limit, name in _HUES if hue <= limit)
    return "brown" if name == "orange" and value < 0.35 else name


def wardrobe(chance: np.random.Generator) -> dict[str, Surface]:
    """Draw a person's clothes, by slot of the body."""
    skin = Surface(SKIN[chance.integers(len(SKIN))], grain=0.06)
    shirt = surface(chance, scales=(4, 14))
    trousers = surface(chance, (PLAIN, PLAIN, STRIPES, BLOTCHES), scales=(5, 14), light=(0.05, 0.5))
    return {
        "skin": skin,
        "hair": Surface(HAIR[chance.integers(len(HAIR))], grain=0.6),
        "eyes": Surface((0.03, 0.03, 0.04), grain=0.0),
        "shirt": shirt,
        "forearms": shirt if chance.random() < 0.4 else skin,
        "trousers": trousers,
        "shins": trousers if chance.random() < 0.75 else skin,
        "shoes": Surface(colour(chance), grain=0.1),
    }


def _furniture(shown: np.ndarray, camera: Camera, outdoors: bool, chance) -> Box:
    """A box on the floor that stands nowhere between the lens and the points shown, [T, N, 3]."""
    ground, lens = shown[..., [0, 2]], camera.place[:, None, [0, 2]]
    middle = (ground.min((0, 1)) + ground.max((0, 1))) / 2
    half = np.array(
        [chance.uniform(0.1, 0.6), chance.uniform(0.12, 0.75), chance.uniform(0.1, 0.6)]
    )
    half *= chance.uniform(1.5, 4) if outdoors else 1.0
    reach = 0.35 + np.hypot(half[0], half[2])
    for _ in range(20):
        angle = chance.uniform(-np.pi, np.pi)
        away = chance.uniform(0.8, 9 if outdoors else 4)
        spot = middle + away * np.array([np.sin(angle), np.cos(angle)])
        clear = _off_sight(spot, lens, ground).min() > reach
        off_lens = np.linalg.norm(lens - spot, axis=-1).min() > reach + 0.5
        if clear and off_lens:
            at = np.array([spot[0], half[1], spot[1]])
            return Box(at, half, chance.uniform(0, np.pi), surface(chance, scales=(1, 6)))
    return _hidden()


def _off_sight(spot: np.ndarray, lens: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Distances on the floor from a spot [2] to the lines from lens [T, 1, 2] to ground [T, N, 2]."""
    way, there = ground - lens, spot - lens
    along = (way * there).sum(-1) / np.maximum((way * way).sum(-1), 1e-9)
    return np.linalg.norm(there - along.clip(0, 1)[..., None] * way, axis=-1)


def _occluder(joints, camera: Camera, chance) -> Box:
    """A post or a low wall between the lens and the person, hiding a part of them."""
    middle = joints.reshape(-1, 3).mean(0)
    spot = middle + chance.uniform(0.25, 0.5) * (camera.place.mean(0) - middle)
    if chance.random() < 0.5:  # a post
        half = np.array([chance.uniform(0.04, 0.12), 1.6, chance.uniform(0.04, 0.12)])
    else:
        half = np.array([1.5, chance.uniform(0.15, 0.4), 0.06])
    side = np.cross([0.0, 1.0, 0.0], camera.axes[0, 2])
    spot = spot + side * chance.uniform(-0.5, 0.5)
    heading = np.arctan2(camera.axes[0, 2, 0], camera.axes[0, 2, 2])
    return Box(np.array([spot[0], half[1], spot[2]]), half, heading, surface(chance))


def _picture(low, high, chance) -> Box:
    """A flat box on one of the walls."""
    half = np.array([chance.uniform(0.2, 0.8), chance.uniform(0.2, 0.6), 0.02])
    axis, side = chance.choice([0, 2]), chance.integers(2)
    spot = chance.uniform(low, high)
    spot[1] = chance.uniform(1.0, 2.0)
    spot[axis] = (low, high)[side][axis]
    turn = np.pi / 2 if axis == 0 else 0.0
    return Box(spot, half, turn, surface(chance, scales=(1, 5)))


def _hidden() -> Box:
    return Box(NOWHERE, np.full(3, 0.01), 0.0, Surface((0.0, 0.0, 0.0)))


def _movers(joints, camera: Camera, fps: float, chance, calm: bool) -> np.ndarray:
    """Balls that cross or bounce behind the person; half of the places have none."""
    seconds = np.arange(len(joints)) / fps
    tracks = np.broadcast_to(NOWHERE, (len(joints), DISTRACTORS, 3)).copy()
    middle = joints.reshape(-1, 3).mean(0)
    behind, across = -camera.axes[0, 2], camera.axes[0, 0]
    for i in range(DISTRACTORS):
        if calm or chance.random() < 0.5:
            continue
        start = middle + behind * chance.uniform(0.8, 3) + across * chance.uniform(-2, 2)
        velocity = across * chance.uniform(-1.2, 1.2)
        bounce = np.abs(np.sin(seconds * chance.uniform(1, 5) + chance.uniform(0, 3)))
        tracks[:, i] = start + seconds[:, None] * velocity
        tracks[:, i, 1] = chance.uniform(0.1, 1.2) + chance.uniform(0, 0.8) * bounce
    return tracks
