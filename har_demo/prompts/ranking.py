"""Search: rank many clips by how well they fit one sentence; one vector a clip, kept for the next sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from har_demo.clips.clip import Clip
from har_demo.clips.probe import VIDEOS
from har_demo.errors import ChoiceError, ClipError
from har_demo.prompts import catalogue, words
from har_demo.prompts.answer import (
    Progress,
    embed_clip,
    embed_texts,
    similarities,
    varying,
    without_actions,
)

MOST = 50
FRAMES = 8


@dataclass(frozen=True)
class Found:
    """A clip's place in a search.

    Attributes:
        clip: which.
        similarity: of the clip and the sentence, the mean over its frames.
        seconds: when it fits best.
    """

    clip: Clip
    similarity: float
    seconds: float


@dataclass(frozen=True)
class Unread:
    """A file that is left out of a search, and the sentence that says why."""

    name: str
    why: str


@dataclass(frozen=True)
class Ranking:
    """All clips, the best first, for one sentence, by one image-text model."""

    sentence: str
    model: str
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


def search_files(
    files: Sequence[Path],
    sentence: str,
    model: str | None = None,
    on_progress: Progress | None = None,
    on_read: Callable[[list[Clip]], None] = lambda clips: None,
    read: Callable[[Path, Callable[[float], None]], Clip] | None = None,
) -> Ranking:
    """Rank video files by how well a sentence fits them; those that cannot be read are named, not fatal.

    Args:
        files: at most MOST.
        sentence, model, on_progress: as for `search`.
        on_read: called with the clips once all files are read, before a model looks at them.
        read: reads a file, given what shows the share that is done; `ingest` by default.

    Raises:
        ChoiceError: as `search`, or none of the files can be read.
        WeightsError: as `search`.
    """
    if read is None:
        from har_demo.clips.ingest import ingest

        def read(file: Path, tell: Callable[[float], None]) -> Clip:
            return ingest(file, name=file.name, on_progress=tell)

    say = on_progress or (lambda fraction, sentence: None)
    words.normalise_prompts([sentence])  # what cannot be asked is said before anything is read
    _check_count(len(files))
    clips, unread = [], []
    for number, file in enumerate(files):
        sentence_of = f"Reading {file.name}, {number + 1} of {len(files)}"

        def tell(share: float, number: int = number, sentence: str = sentence_of) -> None:
            say(0.6 * (number + share) / len(files), sentence)

        tell(0.0)
        try:
            clips.append(read(file, tell))
        except ClipError as problem:
            unread.append(Unread(file.name, str(problem)))
    if not clips:
        why = f"'{unread[0].name[:60]}': {unread[0].why}"
        if len(unread) > 1:
            why = f"None of the {len(unread)} files can be searched. {why}"
        raise ChoiceError(why)
    on_read(clips)
    found = search(
        clips, sentence, model, on_progress=lambda done, what: say(0.6 + 0.4 * done, what)
    )
    return replace(found, unread=(*unread, *found.unread))


def search(
    clips: Sequence[Clip],
    sentence: str,
    model: str | None = None,
    templates: Sequence[str] = words.PLAIN,
    frames: int = FRAMES,
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
) -> Ranking:
    """Rank clips by how well a sentence fits them.

    Args:
        clips: at most MOST, from har_demo.clips.ingest; the same clip twice counts once.
        sentence: what is looked for.
        model, templates, frames, on_progress, device: as for `ask`.

    Raises:
        ChoiceError: there is no clip or no sentence, or there are too many of either.
        WeightsError: the model is not here and cannot be fetched.
        ClipError: a clip cannot be read any more.
    """
    different = list({clip.sha256: clip for clip in clips}.values())
    _check_count(len(different))
    tidied = words.normalise_prompts([sentence])
    say = on_progress or (lambda fraction, sentence: None)
    say(0.0, "Loading the model")
    asked = catalogue.load(model, device)
    sentences = embed_texts(asked, tidied.texts, words.check_templates(templates))
    found = []
    for number, clip in enumerate(different):
        say(number / len(different), f"Looking at {clip.source.name}")
        seen = embed_clip(clip, asked, frames, windows=1)
        near = similarities(asked, seen, sentences)[:, 0]
        best = int(seen.frames[int(near.argmax())])
        found.append(Found(clip, float(near.mean()), best / clip.fps))
    found.sort(key=lambda one: -one.similarity)
    say(1.0, "Done")
    notes = (
        *asked.notes,
        *words.normalise_prompts([sentence], asked.english).notes,
        *varying(different),
        *without_actions(asked, seen),
    )
    return Ranking(tidied.texts[0], asked.name, tuple(found), notes)


def video_files(given: Sequence[Path]) -> list[Path]:
    """The files among some paths, and those in the folders among them that have a video's suffix.

    Raises:
        ChoiceError: a path leads nowhere, or there are none or more than MOST.
    """
    files = []
    for path in given:
        if not path.exists():
            raise ChoiceError(f"There is no file or folder '{path.name[:60]}': check its name.")
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files += [one for one in inside if not path.is_dir() or one.suffix.lower() in VIDEOS]
    _check_count(len(files))
    return files


def _check_count(count: int) -> None:
    if not count:
        raise ChoiceError("There is no clip to search: give video files, or a folder with some.")
    if count > MOST:
        raise ChoiceError(f"There are {count} clips: search at most {MOST} at once.")
