"""Files of flow as Middlebury's benchmark made them (.flo), and pairs of pictures with known flow.

    bytes 0 to 3     'PIEH', which is 202021.25 as a little-endian float32
    bytes 4 to 11    width and height, int32
    the rest         float32, row after row: right, down, right, down …

Points of unknown flow have numbers over 10⁹ (Baker et al., IJCV 2011).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from har_demo.errors import ClipError

MARK = b"PIEH"
UNKNOWN = 1e9
KINDS = (".ppm", ".png", ".jpg")  # of pictures
LARGEST_SIDE = 16_384  # pixels: whatever says more is no picture


@dataclass(frozen=True)
class KnownPair:
    """Two pictures, and how the first moves into the second.

    Attributes:
        name: of the pair.
        frames: uint8 [2, H, W, 3], RGB.
        flow: float32 [2, H, W], pixels right and down.
        visible: bool [H, W], whether what is there can be seen in the second picture; None where that is
            not known.
        person: bool [H, W], where a person is, likewise.
    """

    name: str
    frames: np.ndarray
    flow: np.ndarray
    visible: np.ndarray | None = None
    person: np.ndarray | None = None


def write_flo(path: Path | str, flow: np.ndarray) -> None:
    """Write flow, [2, H, W] in pixels right and down, as a .flo file."""
    if flow.ndim != 3 or flow.shape[0] != 2:
        raise ValueError(f"flow is [2, H, W], not {flow.shape}")
    size = np.array(flow.shape[:0:-1], dtype="<i4")
    numbers = np.moveaxis(flow, 0, 2).astype("<f4")
    Path(path).write_bytes(MARK + size.tobytes() + numbers.tobytes())


def read_flo(path: Path | str) -> np.ndarray:
    """Flow of a .flo file, float32 [2, H, W]; NaN where it is unknown.

    Raises:
        ClipError: it is none, or cut short.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ClipError(f"'{path.name}' cannot be read: check its name and folder.") from error
    if content[:4] != MARK or len(content) < 12:
        raise ClipError(f"'{path.name}' is no .flo file of Middlebury's format: give one.")
    width, height = np.frombuffer(content, "<i4", 2, 4).tolist()
    right_size = 1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE
    if not right_size or len(content) != 12 + 8 * width * height:
        raise ClipError(
            f"'{path.name}' is damaged: it has {len(content)} bytes and says that it holds "
            f"{width} × {height} points; copy it again."
        )
    numbers = np.frombuffer(content, "<f4", -1, 12).reshape(height, width, 2)
    known = np.abs(numbers) < UNKNOWN
    return np.moveaxis(np.where(known, numbers, np.nan), 2, 0).astype(np.float32)


def known_pairs(folder: Path | str) -> list[KnownPair]:
    """Every NAME_img1, NAME_img2 and NAME_flow.flo of a folder and those in it, as FlyingChairs has them.

    Raises:
        ClipError: there are none, or something of a pair is missing or damaged.
    """
    folder = Path(folder)
    flows = sorted(folder.rglob("*_flow.flo"))
    if not flows:
        raise ClipError(
            f"'{folder.name}' holds no pairs with known flow: give a folder with "
            "NAME_img1.ppm, NAME_img2.ppm and NAME_flow.flo."
        )
    return [_pair(path) for path in flows]


def _pair(path: Path) -> KnownPair:
    name = path.name.removesuffix("_flow.flo")
    frames = [_picture(path.parent, f"{name}_img{number}") for number in (1, 2)]
    flow = read_flo(path)
    if not frames[0].shape[:2] == frames[1].shape[:2] == flow.shape[1:]:
        raise ClipError(f"The pictures and the flow of '{name}' differ in size: copy them again.")
    return KnownPair(name, np.stack(frames), flow)


def _picture(folder: Path, stem: str) -> np.ndarray:
    found = [path for path in (folder / f"{stem}{kind}" for kind in KINDS) if path.is_file()]
    # OpenCV answers with None instead of an error.
    picture = cv2.imread(str(found[0])) if found else None
    if picture is None:
        raise ClipError(f"The picture {stem}.ppm cannot be read: it is missing or damaged.")
    return picture[..., ::-1]
