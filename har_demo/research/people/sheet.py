"""A contact sheet: every action a row of frames with its name, to see at a glance who does what."""

from collections.abc import Sequence

import cv2
import numpy as np

from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import ShotSettings, frames, take

COLUMNS, SIDE, SECONDS = 8, 128, 2.0
MARGIN = 170  # pixels for the name


def sheet(
    actions: Sequence[str] = ACTIONS, seed: int = 0, dark: bool | None = False, calm: bool = True
) -> np.ndarray:
    """uint8 [rows × SIDE, MARGIN + COLUMNS × SIDE, 3]."""
    rows = []
    for number, action in enumerate(actions):
        one = take(
            action, seed + number, SECONDS, COLUMNS / SECONDS, ShotSettings(dark=dark, calm=calm)
        )
        name = np.full((SIDE, MARGIN, 3), 255, np.uint8)
        where = (10, SIDE // 2 + 5)
        cv2.putText(
            name,
            action.replace("_", " "),
            where,
            cv2.FONT_HERSHEY_SIMPLEX,
            0.5,
            (30, 30, 30),
            1,
            cv2.LINE_AA,
        )
        rows.append(np.concatenate([name, *frames(one, (SIDE, SIDE))], 1))
    return np.concatenate(rows)
