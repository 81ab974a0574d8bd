"""Clips to measure a model on: folders of files, or rendered people.

    DIR/<class>/<clip>                     class folders, as most data sets come
    DIR/.../v_<Class>_g01_c01.avi          UCF101: the class also stands in the file's name
    PREPARED/examples.json                 prepared clips (har_demo.recognize.prepared)
    people                                 rendered test scenes (har_demo.clips.rendered), no files at all

Each has names of its own for what is shown; `counterparts` finds them among a model's classes.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import ingest
from har_demo.clips.probe import VIDEOS
from har_demo.clips.rendered import TEST_SEED, Open, scenes
from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS, EVERYDAY
from har_demo.recognize.inputs import Reader
from har_demo.recognize.prepared import read_examples
from har_demo.recognize.splits import TEST, side_of

PEOPLE = "people"
UCF101 = re.compile(r"v_(?P<name>.+)_g\d+_c\d+")
NAMED = 12  # a sentence names at most so many


@dataclass(frozen=True)
class EvalClip:
    """A clip and what it shows.

    Attributes:
        name: unlike that of any other clip of the set.
        dataset: name of the data set it belongs to.
        group: the person or the place, where it is known; else ''.
        label: number of a model's class.
        open: gives the clip and what reads its frames; ClipError when that cannot be done.
    """

    name: str
    dataset: str
    group: str
    label: int
    open: Callable[[], tuple[Clip, Reader]]


@dataclass(frozen=True)
class EvalSet:
    """The clips a model is measured on.

    Attributes:
        key: the same for the same clips on another day.
        clips: those that show a class of the model, in a fixed order.
        left_out: the set's classes that the model does not have.
        absent: how many clips a list names that are not there.
    """

    key: str
    clips: tuple[EvalClip, ...]
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
    """Map each name to the class that it means, for the names that mean one.

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
        label = known.get(word, known.get(everyday.get(word, word)))
        if label is not None:
            found[name] = label
    return found


def rendered_people(
    classes: Sequence[str], count: int, open_scene: Open, seed: int = TEST_SEED
) -> EvalSet:
    """The first `count` rendered test clips that show one of the classes.

    Args:
        classes: the model's.
        count: how many clips.
        open_scene: from `har_demo.clips.rendered.renderer`, as long as its block lasts.
        seed: of the first scene.

    Raises:
        ChoiceError: none of the classes can be rendered.
    """
    actions = list(DATASETS[PEOPLE].values())
    labels = counterparts(actions, classes)
    _check_labels(labels, "rendered people", len(actions), classes)
    clips = tuple(
        EvalClip(
            name=str(scene.seed),
            dataset="rendered",
            group="",
            label=labels[scene.action],
            open=partial(open_scene, scene),
        )
        for scene in scenes(labels, count, seed)
    )
    return EvalSet(f"{PEOPLE} from {seed} on", clips)


def prepared(folder: Path, classes: Sequence[str], split: str = TEST) -> EvalSet:
    """The clips of a prepared folder that a split of har_demo.recognize.splits holds out.

    Raises:
        ChoiceError: the folder cannot be read, or shows none of the classes.
    """
    try:
        examples = [
            one
            for one in read_examples(folder)
            if side_of(one.dataset, one.group, split) == "held out"
        ]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ChoiceError(
            f"'{folder.name}/examples.json' cannot be read: prepare the folder again."
        ) from error
    names = list(dict.fromkeys(EVERYDAY[example.label] for example in examples))
    labels = counterparts(names, classes)
    _check_labels(labels, f"'{folder.name}'", len(names), classes)
    clips = tuple(
        EvalClip(
            name=example.clip.path.name,
            dataset=example.dataset,
            group=example.group,
            label=labels[EVERYDAY[example.label]],
            open=partial(_prepared, example.clip),
        )
        for example in examples
        if EVERYDAY[example.label] in labels
    )
    left_out = tuple(name for name in names if name not in labels)
    return EvalSet(f"{folder.resolve()} {split}", clips, left_out)


def class_folders(
    folder: Path, classes: Sequence[str], listed: Path | None = None, lines: int = 0
) -> EvalSet:
    """The videos of a folder of class folders, or of UCF101's files beside one another.

    Args:
        listed: a file that names the clips to take, one a line, as UCF101's testlist01.txt does; a
            number after the name, as in its trainlist01.txt, does not count.
        lines: how many pixels the short sides of the copies shall have, if the videos do; see ingest.

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
    _check_labels(labels, f"'{folder.name}'", len(names), classes)
    clips = tuple(
        EvalClip(
            name=_inside(path, folder),
            dataset=folder.resolve().name,
            group="",
            label=labels[name],
            open=partial(_ingested, path, lines),
        )
        for path, name in files
        if name in labels
    )
    left_out = tuple(name for name in names if name not in labels)
    return EvalSet(str(folder.resolve()), clips, left_out, absent)


def _prepared(clip: Clip) -> tuple[Clip, Reader]:
    return clip, read_frames


def _ingested(path: Path, lines: int) -> tuple[Clip, Reader]:
    return ingest(path, lines=lines), read_frames


def _check_labels(labels: Collection, data: str, count: int, classes: Sequence[str]) -> None:
    """Raise ChoiceError when none of a set's classes is one of the model's."""
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
