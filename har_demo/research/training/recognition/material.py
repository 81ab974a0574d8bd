"""Clips to measure a model on: folders of files, or people rendered from nothing.

    DIR/<class>/<clip>                     class folders, as most data sets come
    DIR/.../v_<Class>_g01_c01.avi          UCF101: the class also stands in the file's name
    PREPARED/examples.json                 what har_demo.research.training.recognition.data has prepared
    people                                 the protocol's test scenes, no files at all

Each has names of its own for what is shown; `counterparts` finds them among a model's classes.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import ingest
from har_demo.clips.probe import VIDEOS
from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS, EVERYDAY
from har_demo.recognize.inputs import Reader
from har_demo.research.training.groups import HELD_OUT
from har_demo.research.training.recognition.data import read_examples, split
from har_demo.research.training.recognition.figures import invented
from har_demo.research.training.recognition.protocol import read_protocol
from har_demo.research.training.recognition.staged import staged

PEOPLE = "people"
UCF101 = re.compile(r"v_(?P<name>.+)_g\d+_c\d+")
NAMED = 12  # a sentence names at most so many


@dataclass(frozen=True)
class Labelled:
    """A clip and what it shows.

    Attributes:
        name: unlike that of any other clip of the material.
        dataset: which set it belongs to.
        group: who or where, as far as somebody told; else ''.
        label: number of a model's class.
        look: opens it: the clip and what reads its frames; ClipError when that cannot be done.
    """

    name: str
    dataset: str
    group: str
    label: int
    look: Callable[[], tuple[Clip, Reader]]


@dataclass(frozen=True)
class EvalSet:
    """What a model is asked about.

    Attributes:
        key: the same for the same material on another day.
        clips: those that show a class of the model, in an order that stays.
        left_out: the material's classes that the model does not know.
        absent: how many clips a list names that are not there.
    """

    key: str
    clips: tuple[Labelled, ...]
    left_out: tuple[str, ...] = ()
    absent: int = 0

    def note(self) -> str:
        """A sentence for each thing that was left out; '' when nothing was."""
        parts = []
        if self.left_out:
            more = len(self.left_out) - NAMED
            names = ", ".join(self.left_out[:NAMED]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"Left out, as the model has no such class: {names}.")
        if self.absent:
            parts.append(f"{self.absent} clips of the list are not in the folder.")
        return " ".join(parts)


def counterparts(names: Iterable[str], classes: Sequence[str]) -> dict[str, int]:
    """Which of the classes each name means, for the names that mean one.

    Case, spaces and signs do not count, so that ApplyEyeMakeup is 'apply eye makeup'; what our data
    sets call an everyday action (har_demo.labels.DATASETS) is understood too.

    >>> counterparts(["JumpingJack", "jack", "PlayingSitar"], ["walking", "jumping jack"])
    {'JumpingJack': 1, 'jack': 1}
    """
    known = {_folded(name): label for label, name in reversed(list(enumerate(classes)))}
    everyday = {
        _folded(theirs): _folded(ours)
        for names_of in DATASETS.values()
        for theirs, ours in names_of.items()
    }
    found = {}
    for name in names:
        word = _folded(name)
        label = known.get(word, known.get(everyday.get(word)))
        if label is not None:
            found[name] = label
    return found


def people(classes: Sequence[str], count: int, seed: int | None = None) -> EvalSet:
    """The first `count` of the protocol's rendered test clips that show one of the classes.

    Clip number i of the test set shows action i mod 39 with the test seed + i, whoever asks, so fewer
    clips are always the first of more.

    Raises:
        ChoiceError: none of the classes can be rendered.
    """
    seed = read_protocol().test_seed if seed is None else seed
    actions = DATASETS[PEOPLE].values()
    labels = counterparts(actions, classes)
    _some(labels, "rendered people", len(actions), classes)
    rounds = math.ceil(count / len(labels))
    scenes = [scene for scene in invented(rounds * len(actions), seed) if scene.name in labels]
    clips = tuple(
        Labelled(str(scene.seed), "rendered", "", labels[scene.name], staged(scene))
        for scene in scenes[:count]
    )
    return EvalSet(f"{PEOPLE} from {seed} on", clips)


def prepared(folder: Path, classes: Sequence[str], side: str = "a") -> EvalSet:
    """The held-out clips of a prepared folder, split `side` of har_demo.research.training.groups.HELD_OUT.

    Raises:
        ChoiceError: the folder cannot be read, or shows none of the classes.
    """
    try:
        _, examples = split(read_examples(folder), HELD_OUT[side])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ChoiceError(
            f"'{folder.name}/examples.json' cannot be read: prepare the folder again."
        ) from error
    names = list(dict.fromkeys(EVERYDAY[example.label] for example in examples))
    labels = counterparts(names, classes)
    _some(labels, f"'{folder.name}'", len(names), classes)
    clips = tuple(
        Labelled(
            name=example.clip.path.name,
            dataset=example.dataset,
            group=example.group,
            label=labels[EVERYDAY[example.label]],
            look=lambda clip=example.clip: (clip, read_frames),
        )
        for example in examples
        if EVERYDAY[example.label] in labels
    )
    left_out = tuple(name for name in names if name not in labels)
    return EvalSet(f"{folder.resolve()} {side}", clips, left_out)


def class_folders(folder: Path, classes: Sequence[str], listed: Path | None = None) -> EvalSet:
    """The videos of a folder of class folders, or of UCF101's files beside one another.

    Args:
        listed: a file that names the clips to take, one a line, as UCF101's testlist01.txt does; a
            number after the name, as in its trainlist01.txt, does not count.

    Raises:
        ChoiceError: there are no videos, the list cannot be read or names none of them, or none
            shows one of the classes.
    """
    files = _videos(folder)
    if not files:
        raise ChoiceError(
            f"'{folder.name}' holds no videos in class folders: give the folder that holds a folder "
            "for each class."
        )
    absent = 0
    if listed:
        named = _read_list(listed)
        chosen = _listed(named, [path for path, _ in files], folder)
        absent = len(named) - len(chosen)
        files = [(path, name) for path, name in files if path in chosen]
        if not files:
            raise ChoiceError(f"No clip that '{listed.name}' lists is in '{folder.name}'.")
    names = list(dict.fromkeys(name for _, name in files))
    labels = counterparts(names, classes)
    _some(labels, f"'{folder.name}'", len(names), classes)
    clips = tuple(
        Labelled(
            name=_inside(path, folder),
            dataset=folder.resolve().name,
            group="",
            label=labels[name],
            look=lambda path=path: (ingest(path), read_frames),
        )
        for path, name in files
        if name in labels
    )
    left_out = tuple(name for name in names if name not in labels)
    return EvalSet(str(folder.resolve()), clips, left_out, absent)


def _some(labels: Collection, data: str, count: int, classes: Sequence[str]) -> None:
    if not labels:
        raise ChoiceError(
            f"None of the {count} classes of {data} is among the {len(classes)} of the model: "
            "choose other data or another model."
        )


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _videos(folder: Path) -> list[tuple[Path, str]]:
    """Videos with their classes, by path."""
    found = []
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if path.suffix.lower() not in VIDEOS or path.name.startswith(".") or not path.is_file():
            continue
        named = UCF101.fullmatch(path.stem)
        if path.parent != folder:
            found.append((path, path.parent.name))
        elif named:
            found.append((path, named["name"]))
    return found


def _listed(names: list[str], files: list[Path], folder: Path) -> set[Path]:
    """The files that a list names, by path or, where that is enough, by name alone."""
    by_path = {_inside(path, folder): path for path in files}
    count = Counter(path.name for path in files)
    by_name = {path.name: path for path in files if count[path.name] == 1}
    found = (by_path.get(name, by_name.get(Path(name).name)) for name in names)
    return {path for path in found if path}


def _read_list(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ChoiceError(
            f"The list '{file.name}' cannot be read: give a text file with a clip on each line."
        ) from error
    names = (re.sub(r"\s+\d+$", "", line.strip()) for line in lines)
    return list(dict.fromkeys(name for name in names if name))
