"""A pinhole camera that keeps a whole motion in view."""

import numpy as np


class Camera:
    """A camera somewhat above the person, as far away as the whole motion needs.

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
