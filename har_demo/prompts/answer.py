"""Prompts and a clip give an Answer: one pass over the frames, however many prompts there are.

clip ──T frames──▶ image tower ──▶ [T, D] ┐
                                          ├─ similarity [T, P] ──pool──▶ [P] ──softmax──▶ Answer
prompts ──templates──▶ text tower ──▶ [P, D] ┘
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.sampling import segments
from har_demo.errors import ChoiceError
from har_demo.prompts import catalogue, words
from har_demo.prompts.tower import Reading, Tower
from har_demo.weights.provenance import Provenance

Pooling = Literal["mean", "max", "attention"]
POOLINGS: tuple[Pooling, ...] = ("mean", "max", "attention")
FRAMES, MOST_FRAMES = 16, 64
AT_ONCE = 4  # frames that go through the image tower together; Stop is heard between

KEPT_TEXTS, KEPT_CLIPS = 20_000, 200

Progress = Callable[[float, str], None]
Reader = Callable[[Clip, np.ndarray], np.ndarray]

_lock = threading.Lock()
_texts: OrderedDict[tuple[str, str], Tensor] = OrderedDict()
_clips: OrderedDict[tuple, Tensor] = OrderedDict()


@dataclass(frozen=True)
class Times:
    """Milliseconds. `image` is 0 when the clip's frames were known from an earlier question."""

    decode: float
    image: float
    text: float


@dataclass(frozen=True)
class Answer:
    """What a pair of towers says of one clip and P prompts.

    Attributes:
        tower, title: which towers answered; never others than were asked.
        prompts: the P sentences.
        readings: what the text tower reads of each, for the templates' first; `cut` says that it
            does not read all.
        similarity: float32 [T, P], cosines between -1 and 1, of every frame and prompt.
        pooled: float32 [P], over time.
        probabilities: float32 [P]; they and `none` add up to 1.
        none: probability that the clip shows none of these; None when nobody asked for that.
        none_similarity: float32 [T], of the background; None when there is none.
        below: whether the best prompt stays under the threshold, so that the answer is 'none of these'.
        frames: int64 [T], which frames of the clip were looked at.
        fps: frames per second of the clip.
        best: int64 [P], the frame of the clip where each prompt fits best.
        pooling, templates, temperature, threshold, background: as they were used.
        notes: sentences the reader must know.
        times, device, provenance: how the answer came about.
    """

    tower: str
    title: str
    prompts: tuple[str, ...]
    readings: tuple[Reading, ...] = field(repr=False)
    similarity: np.ndarray = field(repr=False)
    pooled: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    none: float | None
    none_similarity: np.ndarray | None = field(repr=False)
    below: bool
    frames: np.ndarray = field(repr=False)
    fps: float
    best: np.ndarray = field(repr=False)
    pooling: Pooling
    templates: tuple[str, ...]
    temperature: float
    threshold: float | None
    background: tuple[str, ...]
    notes: tuple[str, ...]
    times: Times
    device: str
    provenance: tuple[Provenance, ...]

    def seconds(self) -> np.ndarray:
        """float64 [T]: when each frame is shown."""
        return self.frames / self.fps

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest prompts with their probabilities."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return [(self.prompts[i], float(self.probabilities[i])) for i in order]

    @property
    def nothing(self) -> bool:
        """Whether 'none of these' is the answer."""
        likelier = self.none is not None and self.none > float(self.probabilities.max())
        return self.below or likelier


def ask(
    clip: Clip,
    prompts: Sequence[str] | str,
    tower: str | None = None,
    pooling: Pooling = "mean",
    templates: Sequence[str] = words.PLAIN,
    background: Sequence[str] = (),
    threshold: float | None = None,
    temperature: float | None = None,
    frames: int = FRAMES,
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
    read: Reader | None = None,
) -> Answer:
    """Which of some sentences a clip shows, and when.

    Args:
        clip: from har_demo.clips.ingest.
        prompts: sentences, or one string with a prompt a line or semicolons between.
        tower: name of one of `catalogue.towers()`; the embedded recogniser by default.
        pooling: how similarities over time become one: their mean, their maximum, or a mean that
            weighs the frames where the prompt fits ('attention').
        templates: sentences with {} for the prompt; their vectors are averaged.
        background: what else the clip may show: its best becomes the option 'none of these'.
        threshold: the least similarity a prompt must have, else the answer is 'none of these'.
        temperature: similarities are divided by it before the softmax; the towers' own by default.
        frames: how many are looked at, spread over the clip.
        on_progress: called with the share of the work that is done (0..1) and a short sentence.
        device: where the towers run; a CUDA GPU if there is one.
        read: gives the clip's frames at some indices, for clips that are no files.

    Raises:
        ChoiceError: the prompts, templates or numbers are not such as can be asked.
        WeightsError: the towers are not here and cannot be fetched.
        ClipError: the clip cannot be read any more.

    Example:
        >>> ask(ingest("clip.mp4"), "riding a bike; cooking; waving goodbye").top(1)
        [('riding a bike', 0.91)]
    """
    say = on_progress or (lambda fraction, sentence: None)
    tidied = words.tidy(prompts)
    templates = words.check_templates(templates)
    background = words.tidy(background).texts if len(background) else ()
    _check(pooling, temperature, threshold, frames)

    say(0.0, "Loading the towers")
    asked = catalogue.load(tower, device)
    tidied = words.tidy(prompts, asked.english)
    temperature = temperature or 1 / asked.scale

    pictures, indices, decode, image = embed_clip(
        clip, asked, frames, lambda done: say(0.1 + 0.7 * done, "Looking at the frames"), read
    )
    say(0.8, f"Reading {len(tidied.texts)} prompts")
    started = time.perf_counter()
    sentences = embed_texts(asked, tidied.texts, templates)
    behind = embed_texts(asked, background, words.PLAIN) if background else None
    text = (time.perf_counter() - started) * 1000

    similarity = pictures @ sentences.T
    pooled = pool(similarity, pooling)
    options, none_similarity = pooled, None
    if behind is not None:
        none_similarity = (pictures @ behind.T).max(dim=1).values
        options = torch.cat([pooled, pool(none_similarity[:, None], pooling)])
    probabilities = (options / temperature).softmax(dim=0).cpu().numpy()

    readings = tuple(asked.reading(words.filled(templates[0], prompt)) for prompt in tidied.texts)
    say(1.0, "Done")
    return Answer(
        tower=asked.name,
        title=asked.title,
        prompts=tidied.texts,
        readings=readings,
        similarity=similarity.cpu().numpy(),
        pooled=pooled.cpu().numpy(),
        probabilities=probabilities[: len(tidied.texts)],
        none=None if behind is None else float(probabilities[-1]),
        none_similarity=None if none_similarity is None else none_similarity.cpu().numpy(),
        below=threshold is not None and float(pooled.max()) < threshold,
        frames=indices,
        fps=clip.fps,
        best=indices[similarity.argmax(dim=0).cpu().numpy()],
        pooling=pooling,
        templates=templates,
        temperature=temperature,
        threshold=threshold,
        background=background,
        notes=(*tidied.notes, *_cut(tidied.texts, readings)),
        times=Times(decode, image, text),
        device=torch.cuda.get_device_name() if asked.device.type == "cuda" else "cpu",
        provenance=asked.provenance,
    )


def again(
    answer: Answer,
    pooling: Pooling | None = None,
    temperature: float | None = None,
    threshold: float | None = None,
) -> Answer:
    """The same similarities pooled otherwise, at another temperature or threshold: no model is asked.

    What is None stays as it was.

    Raises:
        ChoiceError: there is no such pooling, or a number is not such as can be used.
    """
    pooling = pooling or answer.pooling
    temperature = answer.temperature if temperature is None else temperature
    threshold = answer.threshold if threshold is None else threshold
    _check(pooling, temperature, threshold, FRAMES)
    pooled = pool(torch.from_numpy(answer.similarity), pooling)
    options = pooled
    if answer.none_similarity is not None:
        behind = torch.from_numpy(answer.none_similarity)[:, None]
        options = torch.cat([pooled, pool(behind, pooling)])
    probabilities = (options / temperature).softmax(dim=0).numpy()
    return replace(
        answer,
        pooled=pooled.numpy(),
        probabilities=probabilities[: len(answer.prompts)],
        none=None if answer.none_similarity is None else float(probabilities[-1]),
        below=threshold is not None and float(pooled.max()) < threshold,
        pooling=pooling,
        temperature=temperature,
        threshold=threshold,
    )


def pool(similarity: Tensor, pooling: Pooling) -> Tensor:
    """float [T, P] over time to [P].

    Attention weighs a frame by how many standard deviations above its prompt's mean it lies, so that it is
    as keen for towers whose cosines hardly differ as for others.
    """
    if pooling == "max":
        return similarity.max(dim=0).values
    if pooling == "attention":
        above = similarity - similarity.mean(dim=0)
        spread = above.square().mean(dim=0).sqrt().clamp(min=1e-6)
        return ((above / spread).softmax(dim=0) * similarity).sum(dim=0)
    return similarity.mean(dim=0)


def embed_texts(tower: Tower, texts: Sequence[str], templates: Sequence[str]) -> Tensor:
    """float [N, D] of length 1: each text's mean over the templates. Every sentence is read once."""
    wanted = [[words.filled(one, text) for one in templates] for text in texts]
    flat = list(dict.fromkeys(sentence for some in wanted for sentence in some))
    identity = _identity(tower)
    with _lock:
        known = {text: _texts[identity, text] for text in flat if (identity, text) in _texts}
    new = [sentence for sentence in flat if sentence not in known]
    if new:
        known |= dict(zip(new, tower.texts(new), strict=True))
        with _lock:
            _texts.update({(identity, sentence): known[sentence] for sentence in new})
            while len(_texts) > KEPT_TEXTS:
                _texts.popitem(last=False)
    rows = torch.stack([torch.stack([known[one] for one in some]).mean(dim=0) for some in wanted])
    return F.normalize(rows, dim=-1)


def embed_clip(
    clip: Clip,
    tower: Tower,
    frames: int = FRAMES,
    on_progress: Callable[[float], None] = lambda done: None,
    read: Reader | None = None,
) -> tuple[Tensor, np.ndarray, float, float]:
    """Vectors of a clip's frames, kept for the next question about the same clip.

    Returns:
        float [T, D] of length 1; int64 [T], which frames; milliseconds of decoding and of the tower.
    """
    indices = np.unique(segments(clip.frames, min(frames, clip.frames)))
    key = (clip.sha256, clip.frames, _identity(tower), tuple(indices))
    with _lock:
        kept = _clips.get(key) if read is None else None
        if kept is not None:
            _clips.move_to_end(key)
    if kept is not None:
        on_progress(1.0)
        return kept, indices, 0.0, 0.0
    on_progress(0.0)
    started = time.perf_counter()
    found, decode = [], 0.0
    for first in range(0, len(indices), AT_ONCE):
        some = indices[first : first + AT_ONCE]
        begun = time.perf_counter()
        now, ahead = _frames(clip, some, tower, read or read_frames)
        decode += time.perf_counter() - begun
        found.append(tower.look(now, ahead))
        on_progress((first + len(some)) / len(indices))
    vectors = tower.over_time(torch.cat(found))
    if read is None:
        with _lock:
            _clips[key] = vectors
            while len(_clips) > KEPT_CLIPS:
                _clips.popitem(last=False)
    total = time.perf_counter() - started
    return vectors, indices, decode * 1000, (total - decode) * 1000


def forget() -> None:
    """Drop every kept vector."""
    with _lock:
        _texts.clear()
        _clips.clear()


def _frames(
    clip: Clip, indices: np.ndarray, tower: Tower, read: Reader
) -> tuple[Tensor, Tensor | None]:
    """Pixels of some frames, and of those that lie ahead of them where the towers want such."""
    if not tower.ahead:
        return tower.preparation.pixels(read(clip, indices), tower.device), None
    later = pairs(indices, clip, tower.ahead)
    both = np.unique(np.concatenate([indices, later]))
    pixels = tower.preparation.pixels(read(clip, both), tower.device)
    return pixels[np.searchsorted(both, indices)], pixels[np.searchsorted(both, later)]


def pairs(indices: np.ndarray, clip: Clip, ahead: float) -> np.ndarray:
    """The frames `ahead` seconds after some; at the clip's end, its last frame."""
    return np.minimum(indices + max(1, round(ahead * clip.fps)), clip.frames - 1)


def _identity(tower: Tower) -> tuple:
    return (tower.name, tower.device.type, *(one.sha256 for one in tower.provenance))


def _cut(texts: Sequence[str], readings: Sequence[Reading]) -> list[str]:
    """What is to be said of prompts that are too long to be read whole."""
    return [
        f"'{text[:40]}…' has {one.tokens} tokens and {one.limit} are read: it is read up to "
        f"'…{one.read[-40:]}'."
        for text, one in zip(texts, readings, strict=True)
        if one.cut
    ]


def _check(pooling: str, temperature: float | None, threshold: float | None, frames: int) -> None:
    if pooling not in POOLINGS:
        raise ChoiceError(f"There is no pooling '{pooling}': choose {', '.join(POOLINGS)}.")
    if temperature is not None and not 0.001 <= temperature <= 10:
        raise ChoiceError("The temperature is a number from 0.001 to 10.")
    if threshold is not None and not -1 <= threshold <= 1:
        raise ChoiceError("The threshold is a similarity, from -1 to 1.")
    if not 1 <= frames <= MOST_FRAMES:
        raise ChoiceError(f"Look at 1 to {MOST_FRAMES} frames.")
