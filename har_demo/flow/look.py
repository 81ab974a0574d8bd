"""Optical flow along a span of a clip, by one method or by two, with everything that is shown of it.

    span ──some pairs of neighbouring frames, made small──▶ ──each method──▶ fields ──▶ .flo files
                                                              └─▶ how fast, how well, how long

Fields stay in files, one pair is in memory at a time, and there are as many pairs as the time allows: the
first tells how long the others will take.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from har_demo.clips import cache
from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.errors import ChoiceError, ClipError
from har_demo.flow import learned
from har_demo.flow.colour import scale_of
from har_demo.flow.field import TITLES, flow
from har_demo.flow.files import read_flo, write_flo
from har_demo.flow.warp import camera, fetched, own
from har_demo.weights import Provenance

SIDE = 320  # pixels of the longer side
PAIRS = 32  # at most
LONGEST = 10.0  # seconds of a span
BUDGET = 20.0  # seconds that all methods together may take
STILL = 0.25  # pixels: a clip whose fastest points stay under it stands still
CHANGED = 8.0  # grey levels between two frames from which their motion should explain something
UNEXPLAINED = 0.65
"""Where so much of that change is left when the next frame is fetched back, it is not the field's motion:
DIS leaves 0.68 and more between unrelated pictures, and less than 0.61 in the filmed clips that were tried."""
KEPT = 24  # looks whose fields stay on the disk

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class MethodFlow:
    """Flow of one method, for P pairs.

    Attributes:
        method, title: a key of TITLES, and what it is called.
        provenance: whose weights, of a network.
        milliseconds: for a pair, the median.
        means, tops: float [P], mean length in pixels, and the length that 99 in 100 points stay under.
        own_means, own_tops: the same without the camera's motion.
        cameras: P homographies [3, 3], or None where the camera's motion is unknown.
        changes, left: float [P], mean grey levels between both frames of a pair, and between the first
            and the second fetched back by the field; where no point leaves the picture.
    """

    method: str
    title: str
    provenance: Provenance | None
    milliseconds: float
    means: np.ndarray
    tops: np.ndarray
    own_means: np.ndarray
    own_tops: np.ndarray
    cameras: tuple[np.ndarray | None, ...]
    changes: np.ndarray
    left: np.ndarray


@dataclass(frozen=True)
class FlowResult:
    """A span of a clip and its flow.

    Attributes:
        clip: the clip.
        pairs: int64 [P, 2], numbers of neighbouring frames, in the order of time.
        wanted: how many pairs there would have been with more time.
        size: (height, width) of the fields, pixels.
        ways: one or two methods.
        folder: where the fields are.
    """

    clip: Clip
    pairs: np.ndarray
    wanted: int
    size: tuple[int, int]
    ways: tuple[MethodFlow, ...]
    folder: Path

    def seconds(self) -> np.ndarray:
        """float64 [P]: when the first frame of each pair is shown."""
        return self.pairs[:, 0] / self.clip.fps

    def field(self, way: int, pair: int, without_camera: bool = False) -> np.ndarray:
        """float32 [2, H, W], pixels right and down.

        Raises:
            ClipError: the files are gone.
        """
        try:
            found = read_flo(file_of(self.folder, self.ways[way].method, self.pairs[pair]))
        except ClipError as error:
            raise ClipError("The flow of this clip is no longer kept: compute it again.") from error
        return own(found, self.ways[way].cameras[pair]) if without_camera else found

    def frames(self, pair: int) -> np.ndarray:
        """uint8 [2, H, W, 3]: the pair as the methods were given it."""
        return small(read_frames(self.clip, self.pairs[pair]))

    def scale(self, without_camera: bool = False) -> float:
        """Pixels that get the full colour: one scale for all pairs and both methods."""
        return max(scale_of(w.own_tops if without_camera else w.tops) for w in self.ways)


def look(
    clip: Clip,
    methods: Sequence[str],
    start: float = 0.0,
    seconds: float = 4.0,
    on_progress: Progress = lambda done, what: None,
    budget: float = BUDGET,
) -> FlowResult:
    """Compute flow along a span.

    Args:
        clip: from har_demo.clips.ingest.
        methods: one or two keys of TITLES.
        start, seconds: where the span begins and how long it is; it ends with the clip.
        on_progress: called with the share that is done and a sentence; what it raises ends the work.
        budget: seconds that may be spent; fewer pairs are looked at if need be, three at least.

    Raises:
        ClipError: the clip has one frame, or its pictures are too small.
        ChoiceError: a method, or the span, does not exist.
        WeightsError: a network's weights are missing.

    >>> found = look(ingest("clip.mp4"), ["dis"])
    >>> found.ways[0].means.round(1)
    array([0.3, 2.1, ...])
    """
    _check(clip, methods, start, seconds)
    pairs = spread(clip, start, seconds, PAIRS)
    for method in methods:
        if method in learned.LEARNED:
            on_progress(0, learned.at_hand(method) or f"Loading {TITLES[method]}")
    folder = _folder()
    try:
        on_progress(0, "The first pair, which tells how long the others take")
        middle = pairs[len(pairs) // 2 :][:1]
        _walk(clip, methods, middle, folder)  # loads networks, which takes its own time
        started = time.perf_counter()
        _walk(clip, methods, middle, folder)
        spent = max(time.perf_counter() - started, 1e-3)
        some = spread(clip, start, seconds, min(len(pairs), max(3, int(budget / spent))))
        found = _walk(clip, methods, some, folder, on_progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    size = small(read_frames(clip, some[0])).shape[1:3]
    return FlowResult(clip, some, len(pairs), size, found, folder)


def forget(found: FlowResult) -> None:
    """Delete the fields, when nobody will ask for them again."""
    shutil.rmtree(found.folder, ignore_errors=True)


def spread(clip: Clip, start: float, seconds: float, count: int) -> np.ndarray:
    """int64 [P, 2]: up to `count` pairs of neighbouring frames, evenly over a span, ends included."""
    last = clip.frames - 2
    first = min(int(start * clip.fps + 1e-6), last)
    end = min(max(int((start + seconds) * clip.fps + 1e-6) - 1, first), last)
    begin = np.unique(np.linspace(first, end, min(count, end - first + 1)).round().astype(np.int64))
    return np.stack([begin, begin + 1], axis=1)


def small(frames: np.ndarray) -> np.ndarray:
    """Frames uint8 [N, H, W, 3] with the longer side at most SIDE."""
    height, width = frames.shape[1:3]
    share = SIDE / max(height, width)
    if share >= 1:
        return frames
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])


def file_of(folder: Path, method: str, pair: np.ndarray) -> Path:
    """Return the file of a pair's field."""
    return folder / f"{method}_{pair[0]:06d}.flo"


def notes(found: FlowResult, without_camera: bool = False) -> list[str]:
    """Return remarks for the reader, a sentence each."""
    said = []
    for way in found.ways:
        lost = np.flatnonzero((way.changes > CHANGED) & (way.left > UNEXPLAINED * way.changes))
        if len(lost):
            moments = ", ".join(f"{found.seconds()[i]:.2f} s" for i in lost[:3])
            more = f" and {len(lost) - 3} more moments" if len(lost) > 3 else ""
            said.append(
                f"At {moments}{more} {way.title} leaves two thirds of what changes unexplained: "
                "the motion is beyond its range, or the clip is cut there."
            )
    if max(way.tops.max() for way in found.ways) < STILL:
        said.append(
            "Nothing moves in this span: the fastest points move less than a quarter of a pixel a "
            "frame, which is noise and is left white."
        )
    unknown = sum(one is None for one in found.ways[0].cameras)
    if without_camera and unknown:
        said.append(
            f"In {unknown} of {len(found.pairs)} pairs too little of the picture moves together to "
            "tell the camera's motion, so it is left in."
        )
    if len(found.pairs) < found.wanted:
        said.append(
            f"Only {len(found.pairs)} pairs were looked at instead of {found.wanted}, as more would "
            f"have taken over {BUDGET:.0f} seconds."
        )
    return said


def flow_json(found: FlowResult) -> dict:
    """Everything but the fields, in plain JSON types."""
    rounded = {"means": "mean_px", "tops": "p99_px", "own_means": "mean_px_without_camera"}
    rounded |= {"changes": "frame_difference", "left": "difference_after_warping"}
    return {
        "clip": {
            "name": found.clip.source.name,
            "sha256": found.clip.sha256,
            "fps": found.clip.fps,
        },
        "size": {"width": found.size[1], "height": found.size[0]},
        "frames": found.pairs.tolist(),
        "seconds": found.seconds().round(4).tolist(),
        "methods": [
            {"method": way.method, "title": way.title, "ms_per_pair": round(way.milliseconds, 2)}
            | {name: getattr(way, key).round(4).tolist() for key, name in rounded.items()}
            for way in found.ways
        ],
        "notes": notes(found),
    }


def _check(clip: Clip, methods: Sequence[str], start: float, seconds: float) -> None:
    if clip.frames < 2:
        raise ClipError(
            "This clip is a single picture, and flow is what moves between two: take a longer clip."
        )
    if not 1 <= len(methods) <= 2 or len(set(methods)) < len(methods):
        raise ChoiceError("Choose one method of optical flow, or two different ones.")
    for method in methods:
        if method not in TITLES:
            raise ChoiceError(f"No optical flow is called '{method}': choose {', '.join(TITLES)}.")
    if not 0 < seconds <= LONGEST:
        raise ChoiceError(f"A span is up to {LONGEST:.0f} seconds long, not {seconds}.")
    if not 0 <= start < clip.duration:
        raise ChoiceError(
            f"The clip is {clip.duration:.1f} s long: the span cannot begin at {start} s."
        )


def _walk(
    clip: Clip,
    methods: Sequence[str],
    pairs: np.ndarray,
    folder: Path,
    on_progress: Progress = lambda done, what: None,
) -> tuple[MethodFlow, ...]:
    """Every pair by every method, and the fields to files."""
    rows: dict[str, list[tuple]] = {method: [] for method in methods}
    whose = dict.fromkeys(methods)
    for number, pair in enumerate(pairs):
        frames = small(read_frames(clip, pair))
        for method in methods:
            on_progress(number / len(pairs), f"{TITLES[method]}: pair {number + 1} of {len(pairs)}")
            started = time.perf_counter()
            found = flow(frames, method)
            took = 1000 * (time.perf_counter() - started)
            field, whose[method] = found.pixels[0], found.provenance
            write_flo(file_of(folder, method, pair), field)
            homography = camera(field)
            back = fetched(frames, field)
            figures = (*_lengths(field), *_lengths(own(field, homography)))
            rows[method].append((took, *figures, homography, back.before, back.after))
    return tuple(_way(method, rows[method], whose[method]) for method in methods)


def _lengths(field: np.ndarray) -> tuple[float, float]:
    lengths = np.linalg.norm(field, axis=0)
    return float(lengths.mean()), float(np.percentile(lengths, 99))


def _way(method: str, rows: list[tuple], provenance: Provenance | None) -> MethodFlow:
    took, means, tops, own_means, own_tops, cameras, changes, left = zip(*rows, strict=True)
    return MethodFlow(
        method=method,
        title=TITLES[method],
        provenance=provenance,
        milliseconds=median(took),
        means=np.array(means),
        tops=np.array(tops),
        own_means=np.array(own_means),
        own_tops=np.array(own_tops),
        cameras=cameras,
        changes=np.array(changes),
        left=np.array(left),
    )


def _folder() -> Path:
    """A new folder for fields; those of looks long past are dropped."""
    root = cache.folder().parent / "flow"
    root.mkdir(exist_ok=True)
    old = sorted(root.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
    for folder in old[KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=root))
