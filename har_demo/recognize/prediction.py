"""Requests and predictions: everything a page, a JSON file or a table shows comes from here."""

from dataclasses import dataclass, field

import numpy as np

from har_demo.errors import InternalError, WeightsError
from har_demo.weights import Provenance


@dataclass(frozen=True)
class Request:
    """One model and its sampling of the clip; None means 'as the model's card says'.

    Attributes:
        model: name of a model card.
        frames: frames per window, T.
        stride: distance between the frames of a window, in frames of the clip; may be fractional.
        windows: how many windows, spread evenly; None covers the clip, up to 10 windows.
        crops: 1 (centre), 3 (start, centre, end of the long side) or 10 (corners and centre, also mirrored)
            crops of every window; None for those of the published protocol.
        weights: path of the user's own parameters for this model.
        flow: what computes the flow of a model of flow, a key of har_demo.flow.field.TITLES; None for
            what every network of this project is trained on.
        source: name of the public source of the parameters; '' for the one that is here, or the first.
        published: whether windows, size of crops and precision that are left open, and crops of None,
            shall be those of the source's published accuracy.
        side: pixels of the square that is cut out of pictures whose short side is made as long.
        float32: whether a GPU shall calculate in single precision, which is slower than bfloat16.
    """

    model: str
    frames: int | None = None
    stride: float | None = None
    windows: int | None = None
    crops: int | None = 1
    weights: str | None = None
    flow: str | None = None
    source: str = ""
    published: bool = False
    side: int | None = None
    float32: bool = False


@dataclass(frozen=True)
class Times:
    """Milliseconds spent for this model; decoding is shared by all models of one run.

    `flow` is the part of `transform` that went into optical flow. Models that want the same flow share
    it, and the first of them has waited for it.
    """

    decode: float
    transform: float
    forward: float
    flow: float = 0.0


@dataclass(frozen=True)
class SeenWindow:
    """One window of a clip in pictures, a few of each kind, spread over it.

    Attributes:
        window: number of the window.
        frames: int64 [n], the clip's frames that `filmed` shows, in the order they were sampled.
        filmed: uint8 [n, h, w, 3], whole frames, made small.
        given: uint8 [m, h, w, 3], what the network was given for the first crop, its normalisation
            undone; for differences mid-grey means 'nothing changed'. Fields of optical flow follow the
            frames, if there are any: redder is to the right, greener is downwards, mid-grey stands still.
        given_count: how many pictures and fields the network was given, m of which are shown.
    """

    window: int
    frames: np.ndarray
    filmed: np.ndarray = field(repr=False)
    given: np.ndarray = field(repr=False)
    given_count: int


@dataclass(frozen=True)
class Prediction:
    """Scores of one model on one clip.

    Attributes:
        model, title: the card's.
        label_set, classes: the names behind the last axis of `scores`.
        scores: float32 [windows, classes], the probabilities that the network gives; the crops of a window
            are averaged.
        frames: int64 [windows, T], indices into the ingested clip, as sampled; models of frame
            differences or of flow read one more than they are given.
        crops: int64 [crops, 4], boxes (left, top, right, bottom) in pixels of the ingested clip.
        fps: frames per second of the ingested clip.
        times, device, provenance: measured times, where it ran, and whose parameters.
        note: what the reader must know of the sampling and of the flow, or ''.
        flow: title of the method whose optical flow the model was given, or ''.
        stride: distance between the frames of a window, in frames of the clip.
        seen: the pictures of `best_window`, where they were asked for and are still at hand.
    """

    model: str
    title: str
    label_set: str
    classes: tuple[str, ...]
    scores: np.ndarray = field(repr=False)
    frames: np.ndarray = field(repr=False)
    crops: np.ndarray = field(repr=False)
    fps: float
    times: Times
    device: str
    provenance: Provenance
    note: str = ""
    flow: str = ""
    stride: float | None = None
    seen: SeenWindow | None = field(default=None, repr=False)

    @property
    def overall(self) -> np.ndarray:
        """float32 [classes]: the mean of the windows' scores, calibrated."""
        return calibrated(self.scores.mean(axis=0), self.provenance.temperature)

    @property
    def windows(self) -> np.ndarray:
        """float32 [windows, classes]: the scores of each window, calibrated."""
        return calibrated(self.scores, self.provenance.temperature)

    @property
    def best_window(self) -> int:
        """The window that is surest of the overall answer."""
        return int(self.scores[:, self.overall.argmax()].argmax())

    @property
    def distinct_frames(self) -> int:
        """Number of different frames in the window with the fewest."""
        return min(len(np.unique(window)) for window in self.frames)

    def top(self, k: int = 5, window: int | None = None) -> list[tuple[str, float]]:
        """The k likeliest classes with their probabilities, overall or of one window."""
        scores = self.overall if window is None else self.windows[window]
        order = np.argsort(-scores, kind="stable")[:k]
        return [(self.classes[i], float(scores[i])) for i in order]

    def seconds(self) -> np.ndarray:
        """float64 [windows, 2]: first and last moment each window saw, in seconds."""
        return np.stack([self.frames.min(axis=1), self.frames.max(axis=1) + 1], axis=1) / self.fps


@dataclass(frozen=True)
class ModelError:
    """A model that could not answer, and the sentence that says why; the other models go on.

    Attributes:
        model, title: whose answer it is.
        message: the sentence.
        internal: whether a fault of ours is the reason, and not what was asked.
    """

    model: str
    title: str
    message: str
    internal: bool = False

    def as_error(self) -> InternalError | WeightsError:
        """The exception to raise where nothing can be done without this answer."""
        if self.internal:
            return InternalError(f"{self.title} failed; its own traceback was logged before.")
        return WeightsError(self.message)


def calibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the logarithms of probabilities (float32 [..., classes]) by a temperature; their order stays."""
    if temperature == 1:
        return probabilities
    softened = np.maximum(probabilities, 1e-12) ** (1 / temperature)
    return softened / softened.sum(axis=-1, keepdims=True)
