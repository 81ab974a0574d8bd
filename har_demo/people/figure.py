"""How people look: a moving skeleton becomes frames of a clay figure in a simple room.

Every part of the body is the hull of one to four balls seen in perspective, painted from far to
near as nested polygons that grow lighter towards the light. Quick; as depth order is per part, it
is not exact where parts run through each other.
"""

import cv2
import numpy as np

from har_demo.people.motion import Motion, move
from har_demo.people.skeleton import BONES, JOINTS

LIGHT = np.array([-0.35, 1.0, 0.45]) / np.linalg.norm([-0.35, 1.0, 0.45])  # from above, left, front
DIRECTIONS = 28  # corners of a ball's outline
SHIFT = 4  # OpenCV draws to 1/16 pixel

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
    ((HAIR,), (0.121,), "hair"),
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
        action: a key of `motion.ACTIONS`.
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
    room = _room(camera, size, chance)
    if motion.seat:
        _stool(room, camera, motion.seat)

    points = _points(motion)
    pixels, depth = camera.project(points)
    outlines, order = _outlines(pixels, depth, camera.focal, motion.body.girth)
    shadows = camera.project(points[:, :20] - points[:, :20, 1:2] / LIGHT[1] * LIGHT)[0]
    frames = np.empty((len(points), size[1], size[0], 3), np.uint8)
    for t, frame in enumerate(frames):
        frame[:] = _with_shadow(room, shadows[t], depth[t].mean(), camera.focal)
        for part in order[t]:
            for shade, outline in zip(colours[PARTS[part][2]], outlines[:, t, part], strict=True):
                cv2.fillConvexPoly(frame, outline, shade, cv2.LINE_AA, SHIFT)
    return _darken(frames, chance) if dark else frames


# --- what the camera sees -------------------------------------------------------------------------


class Camera:
    """A pinhole camera at eye height that has the whole motion in view.

    Attributes:
        focal: in pixels. place: [3] in metres. axes: rows are right, up and back, in the world.
    """

    def __init__(self, joints: np.ndarray, size: tuple[int, int], azimuth: float, chance):
        self.size = size
        self.focal = chance.uniform(1.3, 2.0) * size[1]
        tilt = chance.uniform(0.06, 0.28)
        back = np.array(
            [np.sin(azimuth) * np.cos(tilt), np.sin(tilt), np.cos(azimuth) * np.cos(tilt)]
        )
        right = np.cross([0.0, 1.0, 0.0], back) / np.cos(tilt)
        self.axes = np.stack([right, np.cross(back, right), back])
        points = joints.reshape(-1, 3)
        middle = (points.min(0) + points.max(0)) / 2
        across, up, near = self.axes @ (points - middle).T
        # A point is inside when focal × offset ≤ half the picture × its distance.
        room = chance.uniform(0.72, 0.92)
        wide = near + self.focal * (np.abs(across) + 0.15) / (room * size[0] / 2)
        high = near + self.focal * (np.abs(up) + 0.15) / (room * size[1] / 2)
        self.place = middle + back * max(wide.max(), high.max())

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World [..., 3] → pixels [..., 2] and distance along the view [...]."""
        seen = (points - self.place) @ self.axes.T
        depth = np.maximum(-seen[..., 2], 0.05)
        flat = self.focal * seen[..., :2] / depth[..., None] * [1, -1]
        return flat + np.array(self.size) / 2, depth

    def rays(self, width: int, height: int) -> np.ndarray:
        """Directions [height, width, 3] through the pixels of a picture of that size."""
        x = (np.arange(width) + 0.5) / width - 0.5
        y = 0.5 - (np.arange(height) + 0.5) / height
        x, y = np.meshgrid(x * self.size[0] / self.focal, y * self.size[1] / self.focal)
        return np.stack([x, y, -np.ones_like(x)], -1) @ self.axes


# --- the figure -----------------------------------------------------------------------------------


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
        head - 0.030 * front + 0.062 * up,
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
    nearest = depth[:, joints].mean(2) - 0.3 * radii.max(1)
    return np.round(np.stack(layers) * 2**SHIFT).astype(np.int32), np.argsort(-nearest, 1)


LAYERS = (1.0, 0.9, 0.78, 0.64, 0.5, 0.36, 0.2)


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
        "shirt": _hsv(hue, chance.integers(110, 190), chance.integers(150, 235)),
        "trousers": _hsv(
            hue + chance.integers(50, 130), chance.integers(40, 140), chance.integers(70, 180)
        ),
        "shoes": _hsv(chance.integers(180), 40, chance.choice([50, 225])),
        "eyes": np.array([38, 32, 36]),
    }
    shades = np.linspace(0.62, 1.13, len(LAYERS))
    return {
        name: [tuple(np.clip(colour * s + 14 * (s - 0.6), 0, 255).tolist()) for s in shades]
        for name, colour in materials.items()
    }


def _hsv(hue, saturation, value) -> np.ndarray:
    pixel = np.array([[[hue % 180, saturation, value]]], np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(float)


# --- the room -------------------------------------------------------------------------------------


def _room(camera: Camera, size: tuple[int, int], chance) -> np.ndarray:
    """uint8 [height, width, 3]: a patterned floor, a wall, a few pictures on it."""
    width, height = size
    rays = camera.rays(2 * width, 2 * height)  # twice the size, then averaged: no jagged edges
    turn = chance.uniform(-0.35, 0.35)
    back = np.array([camera.axes[2, 0], 0, camera.axes[2, 2]])
    normal = back / np.linalg.norm(back) * np.cos(turn) + camera.axes[0] * np.sin(turn)
    distance = chance.uniform(1.6, 3.5) + max(0.0, camera.place @ normal)
    with np.errstate(divide="ignore"):
        to_floor = np.where(rays[..., 1] < 0, -camera.place[1] / rays[..., 1], np.inf)
        to_wall = np.where(rays @ normal < 0, -distance / (rays @ normal), np.inf)
    on_floor = to_floor < to_wall
    spot = camera.place + rays * np.minimum(np.minimum(to_floor, to_wall), 60)[..., None]
    u, v, up = spot @ np.cross([0.0, 1.0, 0.0], normal), spot @ normal, spot[..., 1]

    hue = chance.integers(0, 180)
    wall = _hsv(hue, chance.integers(15, 75), chance.integers(150, 240))
    floor = _hsv(chance.choice([14, hue + 90]), chance.integers(25, 110), chance.integers(95, 205))
    pattern = chance.integers(3)
    tile = chance.uniform(0.4, 0.8)
    if pattern == 0:  # tiles
        shade = (np.floor(u / tile) + np.floor(v / tile)) % 2
    elif pattern == 1:  # planks, each of its own tone
        plank = np.floor(v / (0.35 * tile))
        shade = (
            np.sin(plank * 12.9898 + np.floor(u / 1.7 + 0.37 * plank) * 78.233) * 43758.5453
        ) % 1
    else:
        shade = np.zeros_like(u)
    picture = np.where(on_floor[..., None], floor * (1 - 0.12 * shade)[..., None], wall)
    picture *= np.where(on_floor, 1, 0.86 + 0.06 * np.clip(up, 0, 3))[..., None]
    picture[~on_floor & (up < 0.10)] = wall * 0.72
    for _ in range(chance.integers(1, 5)):  # windows, pictures, boards
        left, low = chance.uniform(-3.5, 2.5), chance.uniform(0.7, 1.7)
        right, high = left + chance.uniform(0.4, 1.3), low + chance.uniform(0.4, 0.9)
        inside = ~on_floor & (u > left) & (u < right) & (up > low) & (up < high)
        rim = inside & (
            (u < left + 0.05) | (u > right - 0.05) | (up < low + 0.05) | (up > high - 0.05)
        )
        picture[inside] = _hsv(
            chance.integers(180), chance.integers(10, 110), chance.integers(120, 250)
        )
        picture[rim] = wall * 0.55
    return cv2.resize(np.clip(picture, 0, 255), size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _stool(room: np.ndarray, camera: Camera, seat) -> None:
    """A block to sit on, drawn behind the figure."""
    x, z, heading, height = seat
    left = np.array([np.cos(heading), 0, -np.sin(heading)]) * 0.21
    ahead = np.array([np.sin(heading), 0, np.cos(heading)]) * 0.19
    foot = np.array([x, 0, z])
    base = [foot + a * left + b * ahead for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    shadow = np.zeros(room.shape[:2], np.uint8)
    cv2.fillConvexPoly(
        shadow, np.round(camera.project(np.array(base) * 1.0)[0]).astype(np.int32), 255
    )
    spread = 0.06 * camera.focal / camera.project(foot)[1]
    room[:] = room * (1 - 0.45 * cv2.GaussianBlur(shadow, None, spread)[..., None] / 255)
    quads = []
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        side = np.array([base[a], base[b], base[b] + [0, height, 0], base[a] + [0, height, 0]])
        facing = side[:2].mean(0) - foot
        shade = 0.62 + 0.25 * max(0.0, facing @ LIGHT / np.linalg.norm(facing))
        quads.append((-np.linalg.norm(side.mean(0) - camera.place), side, shade))
    top = np.array(base) + np.array([0, height, 0])
    for _, corners, shade in [*sorted(quads, key=lambda q: q[0]), (0, top, 1.0)]:
        outline = np.round(camera.project(corners)[0] * 2**SHIFT).astype(np.int32)
        cv2.fillConvexPoly(
            room, outline, (186 * shade, 146 * shade, 104 * shade), cv2.LINE_AA, SHIFT
        )


def _with_shadow(room: np.ndarray, shadow: np.ndarray, depth: float, focal: float) -> np.ndarray:
    """The room with the figure's shadow on the floor, a blurred skeleton [20, 2] of pixels."""
    height, width = room.shape[:2]
    mask = np.zeros((height // 2 + 1, width // 2 + 1), np.uint8)
    pixel = focal / depth / 2
    thick = max(1, round(0.16 * pixel))
    for a, b in BONES:
        ends = np.round(shadow[[a, b]] / 2 * 2**SHIFT).astype(int).tolist()
        cv2.line(mask, ends[0], ends[1], 255, thick, cv2.LINE_8, SHIFT)
    mask = cv2.GaussianBlur(mask, None, max(0.8, 0.055 * pixel))
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    keep = cv2.cvtColor(255 - (mask * 0.42).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    return cv2.multiply(room, keep, scale=1 / 255)


def _darken(frames: np.ndarray, chance) -> np.ndarray:
    """A dark place through a small sensor: little light, a colour cast, noise."""
    light = chance.uniform(0.10, 0.35) * chance.uniform(0.85, 1.15, 3)
    noise = chance.uniform(2.0, 5.0)
    dim = (frames / np.float32(255)) ** 1.25 * (255 * light).astype(np.float32)
    dim += noise * chance.standard_normal(dim.shape, np.float32)
    return np.clip(dim, 0, 255).astype(np.uint8)
