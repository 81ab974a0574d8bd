"""Prompts and a clip give a PromptAnswer: one pass over the frames, however many prompts there are.

clip ──T frames──▶ image encoder ──▶ [T, D] ┐
                                          ├─ similarity [T, P] ──pool──▶ [P] ──softmax──▶ PromptAnswer
prompts ──templates──▶ text encoder ──▶ [P, D] ┘

Beside the embedded image encoder I3D recognises Kinetics' actions, where its weights are here; what a
prompt means of them is added to the similarity.
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
from har_demo.prompts import catalogue, kinetics, nearness, words
from har_demo.prompts.image_text import AT_ONCE, ImageTextModel, Reading
from har_demo.prompts.kinetics import RecognisedActions
from har_demo.weights import Provenance

Pooling = Literal["mean", "max", "attention", "transformer"]
POOLINGS: tuple[Pooling, ...] = ("mean", "max", "attention", "transformer")
FRAMES, MOST_FRAMES = 16, 64
FRAMES_AT_ONCE = 4  # that go through the image encoder together; Stop is heard between
SHARE_OF_ACTIONS = 0.7  # of the time that looking at a clip takes, for I3D
UNLEARNED = (
    "This model has no learned transformer: choose the pooling mean, max or attention, or the "
    "embedded model, or learn prompts around it (docs/training.md)."
)

KEPT_TEXTS, KEPT_CLIPS = 20_000, 200

Progress = Callable[[float, str], None]
Reader = Callable[[Clip, np.ndarray], np.ndarray]

_lock = threading.Lock()
_texts: OrderedDict[tuple, Tensor] = OrderedDict()
_clips: OrderedDict[tuple, tuple[Tensor, Tensor | None, RecognisedActions | None]] = OrderedDict()


@dataclass(frozen=True)
class AnswerTimes:
    """Milliseconds. `image` is 0 when the clip's frames were known from an earlier question."""

    decode: float
    image: float
    text: float


@dataclass(frozen=True)
class Whole:
    """Answer of learned prompts and their temporal transformer about the whole clip (Ju et al., ECCV 2022).

    Attributes:
        similarity: float32 [P].
        none: the background's; None when there is none.
        temperature: under which its probabilities are calibrated.
        notes: which prompts it does not know.
    """

    similarity: np.ndarray
    none: float | None
    temperature: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EncodedFrames:
    """Vectors of a clip's frames from the image encoder.

    Attributes:
        moments: float [T, D], each of length 1.
        video: float [D] of length 1, of all moments together; None for models that did not learn that.
        actions: what I3D recognises at the moments; None beside other models, and without its weights.
        frames: int64 [T], which frames of the clip.
        decode, image: milliseconds of decoding and of the encoder; 0 when the clip was known.
    """

    moments: Tensor
    video: Tensor | None
    actions: RecognisedActions | None
    frames: np.ndarray
    decode: float
    image: float


@dataclass(frozen=True)
class PromptAnswer:
    """Answer of an image-text model about one clip and P prompts.

    Attributes:
        model, title: which model answered; never another than was asked for by name.
        prompts: the P sentences.
        readings: what the text encoder reads of each, for the templates' first; `cut` says that it
            does not read all.
        similarity: float32 [T, P] of every frame and prompt, between -1 and 1: cosines; where I3D answers
            too, their weighted mean with what it recognises.
        pooled: float32 [P], over time.
        probabilities: float32 [P]; they and `none` add up to 1.
        none: probability that the clip shows none of these; None when nobody asked for that.
        none_similarity: float32 [T], of the background; None when there is none.
        none_pooled: the same over time.
        whole: the clip at once, for the pooling 'transformer'; None for models that did not learn it.
        below: whether the best prompt stays under the threshold, so that the answer is 'none of these'.
        frames: int64 [T], which frames of the clip were looked at.
        fps: frames per second of the clip.
        best: int64 [P], the frame of the clip where each prompt fits best.
        pooling, templates, temperature, threshold, background: as they were used. Of 'transformer' the
            learned vectors stand in the templates' place.
        own: the model's own temperature; another one where I3D answers too.
        notes: sentences the reader must know.
        times, device, provenance: how the answer came about.
    """

    model: str
    title: str
    prompts: tuple[str, ...]
    readings: tuple[Reading, ...] = field(repr=False)
    similarity: np.ndarray = field(repr=False)
    pooled: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    none: float | None
    none_similarity: np.ndarray | None = field(repr=False)
    none_pooled: float | None
    whole: Whole | None = field(repr=False)
    below: bool
    frames: np.ndarray = field(repr=False)
    fps: float
    best: np.ndarray = field(repr=False)
    pooling: Pooling
    templates: tuple[str, ...]
    temperature: float
    own: float
    threshold: float | None
    background: tuple[str, ...]
    notes: tuple[str, ...]
    times: AnswerTimes
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
    def poolings(self) -> tuple[Pooling, ...]:
        """Those that this model knows."""
        return POOLINGS if self.whole else POOLINGS[:-1]

    def own_temperature(self, pooling: Pooling) -> float:
        """Return the temperature that is used when none is chosen."""
        return self.whole.temperature if pooling == "transformer" and self.whole else self.own

    @property
    def nothing(self) -> bool:
        """True when 'none of these' is the answer."""
        likelier = self.none is not None and self.none > float(self.probabilities.max())
        return self.below or likelier


def ask(
    clip: Clip,
    prompts: Sequence[str] | str,
    model: str | None = None,
    pooling: Pooling = "mean",
    templates: Sequence[str] = words.PLAIN,
    background: Sequence[str] = (),
    threshold: float | None = None,
    temperature: float | None = None,
    frames: int = FRAMES,
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
    read: Reader | None = None,
) -> PromptAnswer:
    """Score sentences by how well they fit a clip, and when.

    Args:
        clip: from har_demo.clips.ingest.
        prompts: sentences, or one string with a prompt a line or semicolons between.
        model: name of one of `catalogue.image_text_models()`; CLIP by default where it can be had, else
            the embedded recogniser.
        pooling: how similarities over time become one: their mean, their maximum, a mean that weighs
            the frames where the prompt fits ('attention'), or what a learned transformer makes of all
            frames and learned vectors of the prompt ('transformer', of the embedded model, and of
            those of open_clip that prompts were learned around, see har_demo.prompts.clip_prompts; at
            chance outside its 39 actions).
        templates: sentences with {} for the prompt; their vectors are averaged.
        background: what else the clip may show: its best becomes the option 'none of these'.
        threshold: the least similarity a prompt must have, else the answer is 'none of these'.
        temperature: similarities are divided by it before the softmax; the model's own by default.
        frames: how many are looked at, spread over the clip.
        on_progress: called with the share of the work that is done (0..1) and a short sentence.
        device: where the model runs; a CUDA GPU if there is one.
        read: gives the clip's frames at some indices, for clips that are no files.

    Raises:
        ChoiceError: the prompts, templates or numbers are not such as can be asked, or the model has
            not learned that pooling.
        WeightsError: the model is not here and cannot be fetched.
        ClipError: the clip cannot be read any more.

    Example:
        >>> ask(ingest("clip.mp4"), "riding a bike; cooking; waving goodbye").top(1)
        [('riding a bike', 0.91)]
    """
    say = on_progress or (lambda fraction, sentence: None)
    tidied = words.normalise_prompts(prompts)
    templates = words.check_templates(templates)
    background = words.normalise_prompts(background).texts if len(background) else ()
    _check(pooling, temperature, threshold, frames)

    say(0.0, "Loading the model")
    asked = catalogue.load(model, device)
    tidied = words.normalise_prompts(prompts, asked.english)
    if pooling == "transformer" and not asked.learned:
        raise ChoiceError(UNLEARNED)

    seen = embed_clip(
        clip, asked, frames, lambda done: say(0.1 + 0.6 * done, "Looking at the frames"), read
    )
    reads = f"Reading {len(tidied.texts)} prompt{'s' * (len(tidied.texts) > 1)}"
    started = time.perf_counter()
    sentences = embed_texts(
        asked, tidied.texts, templates, lambda done: say(0.7 + 0.15 * done, reads)
    )
    behind = embed_texts(asked, background, words.PLAIN) if background else None
    whole = None
    if seen.video is not None:
        whole = _whole(
            asked, seen.video, tidied.texts, background, lambda done: say(0.85 + 0.15 * done, reads)
        )
    text = (time.perf_counter() - started) * 1000

    similarity = similarities(asked, seen, sentences).cpu().numpy()
    none = None if behind is None else similarities(asked, seen, behind).amax(dim=1).cpu().numpy()
    own = 1 / asked.scale
    if seen.actions is not None and asked.actions is not None:
        own = asked.actions.temperature
        none = None if none is None else np.maximum(none, np.float32(asked.actions.none))
    readings = tuple(asked.reading(words.filled(templates[0], prompt)) for prompt in tidied.texts)
    say(1.0, "Done")
    unread = PromptAnswer(
        model=asked.name,
        title=f"{asked.title}, with I3D" if seen.actions is not None else asked.title,
        prompts=tidied.texts,
        readings=readings,
        similarity=similarity,
        pooled=similarity[0],
        probabilities=similarity[0],
        none=None,
        none_similarity=none,
        none_pooled=None,
        whole=whole,
        below=False,
        frames=seen.frames,
        fps=clip.fps,
        best=seen.frames[similarity.argmax(axis=0)],
        pooling=pooling,
        templates=templates,
        temperature=1.0,
        own=own,
        threshold=None,
        background=background,
        notes=(
            *asked.notes,
            *tidied.notes,
            *_cut(tidied.texts, readings),
            *varying([clip]),
            *without_actions(asked, seen),
        ),
        times=AnswerTimes(seen.decode, seen.image, text),
        device=torch.cuda.get_device_name() if asked.device.type == "cuda" else "cpu",
        provenance=(*asked.provenance, *_of_actions(seen)),
    )
    return rescore(unread, pooling, temperature or unread.own_temperature(pooling), threshold)


def _whole(
    model: ImageTextModel,
    video: Tensor,
    prompts: Sequence[str],
    background: Sequence[str],
    on_progress: Callable[[float], None],
) -> Whole:
    """Cosines of the whole clip with prompts between learned vectors."""
    near = (embed_texts(model, (*prompts, *background), None, on_progress) @ video).cpu().numpy()
    none = float(near[len(prompts) :].max()) if background else None
    known = embed_texts(model, nearness.NAMES, words.PLAIN)
    notes = nearness.notes(prompts, embed_texts(model, prompts, words.PLAIN) @ known.T)
    return Whole(near[: len(prompts)], none, 1 / model.learned_scale, notes)


def rescore(
    answer: PromptAnswer,
    pooling: Pooling | None = None,
    temperature: float | None = None,
    threshold: float | None = None,
) -> PromptAnswer:
    """The same similarities pooled otherwise, at another temperature or threshold: no model is asked.

    What is None stays as it was.

    Raises:
        ChoiceError: there is no such pooling, or a number is not such as can be used.
    """
    pooling = pooling or answer.pooling
    temperature = answer.temperature if temperature is None else temperature
    threshold = answer.threshold if threshold is None else threshold
    _check(pooling, temperature, threshold, FRAMES)
    if pooling == "transformer":
        if answer.whole is None:
            raise ChoiceError(UNLEARNED)
        pooled, behind = answer.whole.similarity, answer.whole.none
    else:
        pooled, behind = pool(answer.similarity, pooling), None
        if answer.none_similarity is not None:
            behind = float(pool(answer.none_similarity[:, None], pooling)[0])
    unknown = answer.whole.notes if answer.whole else ()
    notes = tuple(note for note in answer.notes if note not in unknown)
    options = pooled if behind is None else np.append(pooled, np.float32(behind))
    probabilities = torch.from_numpy(options / temperature).softmax(dim=0).numpy()
    return replace(
        answer,
        pooled=pooled,
        probabilities=probabilities[: len(answer.prompts)],
        none=None if behind is None else float(probabilities[-1]),
        none_pooled=behind,
        below=threshold is not None and float(pooled.max()) < threshold,
        pooling=pooling,
        temperature=temperature,
        threshold=threshold,
        notes=(*unknown, *notes) if pooling == "transformer" else notes,
    )


def pool(similarity: np.ndarray, pooling: Literal["mean", "max", "attention"]) -> np.ndarray:
    """float32 [T, P] over time to [P].

    Attention weighs a frame by how many standard deviations above its prompt's mean it lies, so that it is
    as keen for models whose cosines hardly differ as for others.
    """
    if pooling == "max":
        return similarity.max(axis=0)
    if pooling == "attention":
        above = similarity - similarity.mean(axis=0)
        spread = np.sqrt(np.square(above).mean(axis=0)).clip(min=1e-6)
        weights = np.exp(above / spread)
        return (weights * similarity).sum(axis=0) / weights.sum(axis=0)
    return similarity.mean(axis=0)


def embed_texts(
    model: ImageTextModel,
    texts: Sequence[str],
    templates: Sequence[str] | None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> Tensor:
    """float [N, D] of length 1: each text's mean over the templates, or of texts between learned vectors.

    Every sentence is read once.
    """
    between = templates is None
    wanted = [[words.filled(one, text) for one in templates or words.PLAIN] for text in texts]
    flat = list(dict.fromkeys(sentence for some in wanted for sentence in some))
    identity = (_identity(model), between)
    with _lock:
        known = {text: _texts[identity, text] for text in flat if (identity, text) in _texts}
    new = [sentence for sentence in flat if sentence not in known]
    for first in range(0, len(new), AT_ONCE):
        on_progress(first / len(new))
        some = new[first : first + AT_ONCE]
        found = model.prompted(some) if between else model.texts(some)
        known |= dict(zip(some, found, strict=True))
    with _lock:
        _texts.update({(identity, sentence): known[sentence] for sentence in new})
        while len(_texts) > KEPT_TEXTS:
            _texts.popitem(last=False)
    on_progress(1.0)
    rows = torch.stack([torch.stack([known[one] for one in some]).mean(dim=0) for some in wanted])
    return F.normalize(rows, dim=-1)


def embed_clip(
    clip: Clip,
    model: ImageTextModel,
    frames: int = FRAMES,
    on_progress: Callable[[float], None] = lambda done: None,
    read: Reader | None = None,
    windows: int = kinetics.WINDOWS,
) -> EncodedFrames:
    """Vectors of a clip's frames, kept for the next question about the same clip."""
    if read is None and (kept := encoded(clip, model, frames, windows)):
        on_progress(1.0)
        return kept
    indices = _looked_at(clip, frames)
    acts = _acts(model)
    on_progress(0.0)
    started = time.perf_counter()
    found, decode = [], 0.0
    for first in range(0, len(indices), FRAMES_AT_ONCE):
        some = indices[first : first + FRAMES_AT_ONCE]
        begun = time.perf_counter()
        now, ahead = _frames(clip, some, model, read or read_frames)
        decode += time.perf_counter() - begun
        found.append(model.look(now, ahead))
        on_progress((1 - SHARE_OF_ACTIONS * acts) * (first + len(some)) / len(indices))
    looks = torch.cat(found)
    actions = None
    if acts:
        actions = kinetics.recognise_actions(
            clip,
            indices,
            windows,
            lambda done: on_progress(1 - SHARE_OF_ACTIONS * (1 - done)),
            read,
            model.device,
        )
    vectors = model.over_time(looks), model.video(looks), actions
    total = time.perf_counter() - started
    seen = EncodedFrames(*vectors, indices, decode * 1000, (total - decode) * 1000)
    if read is None:
        keep(clip, model, frames, windows, seen)
    return seen


def encoded(
    clip: Clip, model: ImageTextModel, frames: int = FRAMES, windows: int = kinetics.WINDOWS
) -> EncodedFrames | None:
    """Return the vectors that are kept of an earlier question, or None."""
    key = _key(clip, model, frames, windows)
    with _lock:
        if key not in _clips:
            return None
        _clips.move_to_end(key)
        return EncodedFrames(*_clips[key], _looked_at(clip, frames), 0.0, 0.0)


def keep(clip: Clip, model: ImageTextModel, frames: int, windows: int, seen: EncodedFrames) -> None:
    """Keep vectors for the next question, on the device of the model that will be asked."""
    video = None if seen.video is None else seen.video.to(model.device)
    with _lock:
        _clips[_key(clip, model, frames, windows)] = (
            seen.moments.to(model.device),
            video,
            seen.actions,
        )
        while len(_clips) > KEPT_CLIPS:
            _clips.popitem(last=False)


def _looked_at(clip: Clip, frames: int) -> np.ndarray:
    """int64 [T]: frames spread over those of the clip that show a new picture."""
    fresh = np.arange(clip.frames) if clip.fresh is None else np.array(clip.fresh)
    return np.unique(fresh[segments(len(fresh), min(frames, len(fresh)))])


def _acts(model: ImageTextModel) -> bool:
    """Whether I3D answers beside the model."""
    return model.actions is not None and kinetics.here()


def _key(clip: Clip, model: ImageTextModel, frames: int, windows: int) -> tuple:
    indices = tuple(_looked_at(clip, frames))
    return (clip.sha256, clip.frames, _identity(model), indices, _acts(model) and windows)


def similarities(model: ImageTextModel, seen: EncodedFrames, sentences: Tensor) -> Tensor:
    """float [T, P] of T moments and sentences [P, D]: cosines, averaged with what I3D recognises of what is meant."""
    near = seen.moments @ sentences.T
    if seen.actions is None or model.actions is None:
        return near
    names = model.actions
    recognised = names.softened(seen.actions.probabilities.to(near))
    product = recognised @ names.meant(sentences).T
    return (near + names.strength * product) / (1 + names.strength)


def forget() -> None:
    """Drop every kept vector."""
    with _lock:
        _texts.clear()
        _clips.clear()


def _frames(
    clip: Clip, indices: np.ndarray, model: ImageTextModel, read: Reader
) -> tuple[Tensor, Tensor | None]:
    """Pixels of some frames, and of those that lie ahead of them where the model wants such."""
    if not model.ahead:
        return model.preparation.pixels(read(clip, indices), model.device), None
    later = pairs(indices, clip, model.ahead)
    both = np.unique(np.concatenate([indices, later]))
    pixels = model.preparation.pixels(read(clip, both), model.device)
    return pixels[np.searchsorted(both, indices)], pixels[np.searchsorted(both, later)]


def pairs(indices: np.ndarray, clip: Clip, ahead: float) -> np.ndarray:
    """The frames `ahead` seconds after some; at the clip's end, its last frame."""
    return np.minimum(indices + max(1, round(ahead * clip.fps)), clip.frames - 1)


def _identity(model: ImageTextModel) -> tuple:
    return (model.name, model.device.type, *(one.sha256 for one in model.provenance))


def without_actions(model: ImageTextModel, seen: EncodedFrames) -> list[str]:
    """Return a remark where I3D should have answered too and its weights are missing."""
    if model.actions is None or seen.actions is not None:
        return []
    return [
        "Kinetics' I3D is not among the evidence, so actions without a thing of their own are found less "
        "often: run `har-demo weights --fetch i3d` once."
    ]


def varying(clips: Sequence[Clip]) -> list[str]:
    """Return a remark where the rate of a film varies, which decides what frames are looked at."""
    names = [clip.source.name for clip in clips if clip.source.variable_rate]
    if not names:
        return []
    film = "The film has" if len(clips) == 1 else f"'{names[0]}' has"
    if len(names) > 1:
        film = f"{len(names)} films have"
    return [f"{film} a variable rate: new frames are looked at, not the time that they are held."]


def _of_actions(seen: EncodedFrames) -> list[Provenance]:
    return [] if seen.actions is None else [seen.actions.prediction.provenance]


def _cut(texts: Sequence[str], readings: Sequence[Reading]) -> list[str]:
    """Return a remark on each prompt that is too long to be read whole."""
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
