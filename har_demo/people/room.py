"""Where people are rendered: a floor, a wall, a stool to sit on, shadows, and the dark."""

import cv2
import numpy as np

from har_demo.people.camera import Camera
from har_demo.people.skeleton import BONES

LIGHT = np.array([-0.35, 1.0, 0.45]) / np.linalg.norm([-0.35, 1.0, 0.45])  # from above, left, front
SHIFT = 4  # OpenCV draws to 1/16 pixel
TONES = np.random.default_rng(5).random(101)  # of floor boards


def empty_room(camera: Camera, size: tuple[int, int], chance) -> np.ndarray:
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
    wall = from_hsv(hue, chance.integers(15, 75), chance.integers(150, 240))
    floor = from_hsv(
        chance.choice([14, hue + 90]), chance.integers(25, 110), chance.integers(95, 205)
    )
    pattern = chance.integers(3)
    tile = chance.uniform(0.4, 0.8)
    if pattern == 0:  # tiles
        shade = (np.floor(u / tile) + np.floor(v / tile)) % 2
    elif pattern == 1:  # planks, each of its own tone
        plank = np.floor(v / (0.35 * tile))
        board = np.floor(u / 1.7 + 0.37 * plank)
        shade = TONES[(31 * plank + 7 * board).astype(int) % len(TONES)]
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
        picture[inside] = from_hsv(
            chance.integers(180), chance.integers(10, 110), chance.integers(120, 250)
        )
        picture[rim] = wall * 0.55
    return cv2.resize(np.clip(picture, 0, 255), size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def add_stool(room: np.ndarray, camera: Camera, seat) -> None:
    """A block to sit on, drawn behind the figure."""
    x, z, heading, height = seat
    left = np.array([np.cos(heading), 0, -np.sin(heading)]) * 0.21
    ahead = np.array([np.sin(heading), 0, np.cos(heading)]) * 0.19
    foot = np.array([x, 0, z])
    base = [foot + a * left + b * ahead for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    shadow = np.zeros(room.shape[:2], np.uint8)
    on_floor = np.round(camera.project(np.array(base))[0]).astype(np.int32)
    cv2.fillConvexPoly(shadow, on_floor, 255)
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


def with_shadow(room: np.ndarray, shadow: np.ndarray, depth: float, focal: float) -> np.ndarray:
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


def darken(frames: np.ndarray, chance) -> np.ndarray:
    """A dark place through a small sensor: little light, a colour cast, noise."""
    light = chance.uniform(0.10, 0.35) * chance.uniform(0.85, 1.15, 3)
    noise = chance.uniform(2.0, 5.0)
    dim = (frames / np.float32(255)) ** 1.25 * (255 * light).astype(np.float32)
    dim += noise * chance.standard_normal(dim.shape, np.float32)
    return np.clip(dim, 0, 255).astype(np.uint8)


def from_hsv(hue, saturation, value) -> np.ndarray:
    """float [3] RGB of a hue (0..180, wraps), saturation and value (0..255)."""
    pixel = np.array([[[hue % 180, saturation, value]]], np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(float)
