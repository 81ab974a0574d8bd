"""How people look: a moving skeleton becomes frames of a clay figure in a simple room.

Every part of the body is the hull of one to four balls seen in perspective, painted from far to
near as nested polygons that grow lighter towards the light. Quick; as depth order is per part, it
is not exact where parts run through each other.
"""

import cv2
import numpy as np

from har_demo.people.camera import Camera
from har_demo.people.motion import Motion, move
from har_demo.people.room import LIGHT, SHIFT, add_stool, darken, empty_room, from_hsv, with_shadow
from har_demo.people.skeleton import JOINTS

DIRECTIONS = 28  # corners of a ball's outline
LAYERS = (1.0, 0.9, 0.78, 0.64, 0.5, 0.36, 0.2)  # sizes of the nested outlines

# Which side an action is seen from, in radians away from the front, to either side.
VIEWS = dict.fromkeys(("walk", "run", "skip", "jump", "push_up"), (0.9, 1.65)) | dict.fromkeys(
    ("sit_down", "stand_up", "bend", "squat"), (0.5, 1.25)
)
FRONT = (0.0, 0.6)

# (joints, radii in metres, material) of each part; extra points 20.. are made in `_points`.
NOSE, HAIR, LEFT_EYE, RIGHT_EYE, TOP = range(20, 25)
PARTS = [
    *(((s, e), (0.064, 0.048), "shirt") for s, e in ((4, 5), (8, 9))),
    *(((e, w), (0.043, 0.036), "skin") for e, w in ((5, 6), (9, 10))),
    *(((w, h), (0.040, 0.046), "skin") for w, h in ((6, 7), (10, 11))),
    *(((h, k), (0.088, 0.063), "trousers") for h, k in ((12, 13), (16, 17))),
    *(((k, a), (0.060, 0.045), "trousers") for k, a in ((13, 14), (17, 18))),
    *(((a, f), (0.050, 0.034), "shoes") for a, f in ((14, 15), (18, 19))),
    ((12, 16, 3), (0.092, 0.092, 0.10), "trousers"),
    ((4, 8, 12, 16), (0.078, 0.078, 0.085, 0.085), "shirt"),
    ((1, 0), (0.062, 0.062), "skin"),
    ((0, TOP), (0.112, 0.100), "skin"),
    ((HAIR,), (0.119,), "hair"),
    ((NOSE,), (0.022,), "skin"),
    *(((eye,), (0.014,), "eyes") for eye in (LEFT_EYE, RIGHT_EYE)),
]
BALLS = max(len(joints) for joints, _, _ in PARTS)


def render(
    action: str,
    seed: int = 0,
    seconds: float = 2.0,
    fps: float = 25,
    size: tuple[int, int] = (224, 224),
    dark: bool = False,
) -> np.ndarray:
    """A clip of one person doing `action`; the seed draws person, motion, view and room.

    Args:
        action: one of `motion.ACTIONS`.
        size: (width, height) in pixels.
        dark: as if filmed in a dark place: little light, much noise.

    Returns:
        uint8 [T, height, width, 3], RGB.

    >>> render("bend", seconds=1, size=(64, 48)).shape
    (25, 48, 64, 3)
    """
    chance = np.random.default_rng([seed, 17])
    low, high = VIEWS.get(action, FRONT)
    azimuth = chance.choice([-1, 1]) * chance.uniform(low, high)
    return draw(move(action, seed, seconds, fps), seed, size, dark, azimuth)


def draw(
    motion: Motion, seed: int, size: tuple[int, int], dark: bool, azimuth: float
) -> np.ndarray:
    """Frames of any motion; at `azimuth` 0 the camera looks a person of heading 0 in the face."""
    chance = np.random.default_rng([seed, 23])
    camera = Camera(motion.joints, size, azimuth, chance)
    colours = _colours(chance)
    room = empty_room(camera, size, chance)
    if motion.seat:
        add_stool(room, camera, motion.seat)

    points = _points(motion)
    pixels, depth = camera.project(points)
    outlines, order = _outlines(pixels, depth, camera.focal, motion.body.girth)
    shadows = camera.project(points[:, :20] - points[:, :20, 1:2] / LIGHT[1] * LIGHT)[0]
    frames = np.empty((len(points), size[1], size[0], 3), np.uint8)
    for t, frame in enumerate(frames):
        frame[:] = with_shadow(room, shadows[t], depth[t].mean(), camera.focal)
        for part in order[t]:
            for shade, outline in zip(colours[PARTS[part][2]], outlines[:, t, part], strict=True):
                cv2.fillConvexPoly(frame, outline, shade, cv2.LINE_AA, SHIFT)
    return darken(frames, chance) if dark else frames


def _points(motion: Motion) -> np.ndarray:
    """float [T, 25, 3]: the joints, and points of the head that shoulders and neck orient."""
    joints = motion.joints.astype(float)
    head, neck = joints[:, 0], joints[:, 1]

    def unit(v):
        return v / np.linalg.norm(v, axis=-1, keepdims=True)

    up = unit(head - neck)
    left = unit(
        joints[:, JOINTS.index("left shoulder")] - joints[:, JOINTS.index("right shoulder")]
    )
    front = unit(np.cross(left, up))
    face = [
        head + 0.115 * front - 0.01 * up,
        head - 0.036 * front + 0.058 * up,
        head + 0.100 * front + 0.045 * left + 0.03 * up,
        head + 0.100 * front - 0.045 * left + 0.03 * up,
        head + 0.045 * up,
    ]
    return np.concatenate([joints, np.stack(face, 1)], 1)


def _outlines(pixels, depth, focal: float, girth: float) -> tuple[np.ndarray, np.ndarray]:
    """Nested convex outlines of all parts, and the order to paint them in.

    Returns:
        int32 [layers, T, parts, DIRECTIONS, 2] in 1/16 pixel, and int [T, parts], farthest first.
    """
    joints = np.array([(*j, *[j[-1]] * (BALLS - len(j))) for j, _, _ in PARTS])
    radii = np.array([(*r, *[r[-1]] * (BALLS - len(r))) for _, r, _ in PARTS])
    limbs = np.array([name in ("shirt", "trousers") for _, _, name in PARTS])
    hair = np.array([name == "hair" for _, _, name in PARTS])
    radii = np.where(limbs[:, None], radii * girth, radii)
    centre = pixels[:, joints]
    radius = (focal * radii / depth[:, joints])[..., None]
    angle = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False)
    way = np.stack([np.cos(angle), np.sin(angle)], -1)
    layers = []
    for share in LAYERS:
        # Each layer is smaller and moves to the lit side, up and to the left.
        moved = centre + radius * (1 - share) * np.array([-0.30, -0.42])
        ball = (moved @ way.T + radius * share).argmax(2)[:, :, None]  # the farthest ball each way
        pick = np.take_along_axis
        corner = pick(moved.transpose(0, 1, 3, 2)[..., None], ball[:, :, :, None], 3)[..., 0, :]
        size = pick(radius[..., 0][..., None], ball, 2)[:, :, 0]
        layers.append(corner.transpose(0, 1, 3, 2) + size[..., None] * share * way)
    # In profile the face and the hair are equally far: there the face goes in front.
    nearest = depth[:, joints].mean(2) - 0.3 * radii.max(1) + 0.03 * hair
    return np.round(np.stack(layers) * 2**SHIFT).astype(np.int32), np.argsort(-nearest, 1)


def _colours(chance) -> dict[str, list[tuple[float, ...]]]:
    """For each material the shades of its layers, dark rim to lit middle."""
    skin = np.array([[236, 188, 155], [205, 148, 110], [141, 94, 66], [242, 203, 178]])[
        chance.integers(4)
    ]
    hair = np.array([[60, 42, 34], [25, 24, 26], [148, 104, 60], [120, 118, 116]])[
        chance.integers(4)
    ]
    hue = chance.integers(0, 180)
    materials = {
        "skin": skin,
        "hair": hair,
        "shirt": from_hsv(hue, chance.integers(110, 190), chance.integers(150, 235)),
        "trousers": from_hsv(
            hue + chance.integers(50, 130), chance.integers(40, 140), chance.integers(70, 180)
        ),
        "shoes": from_hsv(chance.integers(180), 40, chance.choice([50, 225])),
        "eyes": np.array([38, 32, 36]),
    }
    shades = np.linspace(0.62, 1.13, len(LAYERS))
    return {
        name: [tuple(np.clip(colour * s + 14 * (s - 0.6), 0, 255).tolist()) for s in shades]
        for name, colour in materials.items()
    }
