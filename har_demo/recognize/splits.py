"""Who and where trains, validates and tests, read from splits.toml.

    splits.toml ──▶ {data set: SetSplit} ──side_of(data set, group, split)──▶ 'train', 'held out' or neither

Split 'a' trains on all folds and holds out the test; split 'fold0' trains on the other folds and holds out fold
0, and never sees the test. A group is a person, a place or a sequence: all its clips are on one side.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("splits.toml")

TEST = "a"
"""The split whose held-out groups are the test: only `har_demo.research sealed-test` opens it."""

Side = Literal["train", "held out", ""]


@dataclass(frozen=True)
class SetSplit:
    """The groups of one data set by side; nobody is on two.

    Attributes:
        group: what a group is, such as 'place'.
        folds: of clips: the groups that each fold validates; empty for recordings.
        train, validation: of recordings, which have no folds: the groups of each side.
        test: the groups that only report.
        recordings: group → what the data set calls the recordings of it, where names do not tell the group.
    """

    group: str
    test: frozenset[str]
    folds: tuple[frozenset[str], ...] = ()
    train: frozenset[str] = frozenset()
    validation: frozenset[str] = frozenset()
    recordings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def groups(self) -> frozenset[str]:
        """All groups that the file names."""
        return frozenset().union(self.train, self.validation, self.test, *self.folds)


@cache
def splits(file: Path = FILE) -> dict[str, SetSplit]:
    """Return the split of every data set.

    Raises:
        ValueError: a group is on two sides, or a data set has another number of folds than the file says.
    """
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    count = read.pop("folds")
    found = {}
    for name, values in read.items():
        folds = tuple(map(frozenset, values.get("folds", ())))
        sides = [*values.get("folds", ()), *(values.get(s, ()) for s in ("train", "validation"))]
        named = [group for side in [*sides, values["test"]] for group in side]
        if twice := sorted({group for group in named if named.count(group) > 1}):
            raise ValueError(f"{name}: on two sides: {', '.join(twice)}")
        if folds and len(folds) != count:
            raise ValueError(f"{name}: {len(folds)} folds, and the file says {count}")
        found[name] = SetSplit(
            group=values["group"],
            test=frozenset(values["test"]),
            folds=folds,
            train=frozenset(values.get("train", ())),
            validation=frozenset(values.get("validation", ())),
            recordings={k: tuple(v) for k, v in values.get("recordings", {}).items()},
        )
    return found


def fold_names() -> tuple[str, ...]:
    """Return the names of the validation splits.

    >>> fold_names()
    ('fold0', 'fold1', 'fold2', 'fold3')
    """
    return tuple(f"fold{k}" for k in range(max(len(one.folds) for one in splits().values())))


def names() -> tuple[str, ...]:
    """Return the names of all splits: TEST and the folds."""
    return (TEST, *fold_names())


def side_of(dataset: str, group: str, split: str) -> Side:
    """Return the side that the clips of a group are on, '' where a split uses them for nothing.

    Groups and data sets that the file does not name are trained on.

    Args:
        dataset: name of a data set of clips.
        group: the person, place or sequence.
        split: one of `names`.

    Raises:
        KeyError: there is no such split.

    >>> side_of("arid6", "park", "a"), side_of("arid6", "park", "fold0"), side_of("arid6", "wall", "fold1")
    ('held out', '', 'held out')
    """
    if split not in names():
        raise KeyError(split)
    own = splits().get(dataset)
    if own is None:
        return "train"
    if group in own.test:
        return "held out" if split == TEST else ""
    if split == TEST:
        return "train"
    return "held out" if group in own.folds[fold_names().index(split)] else "train"


def held_out(split: str, dataset: str | None = None) -> frozenset[str]:
    """Return the groups of clips that a split holds out, of one data set or of all.

    >>> sorted(held_out("a", "weizmann"))
    ['lena', 'moshe']
    """
    return frozenset(
        group
        for name, one in splits().items()
        if one.folds and dataset in (None, name)
        for group in one.groups
        if side_of(name, group, split) == "held out"
    )


def recording_side(dataset: str, person: str) -> Literal["train", "validation", "test"]:
    """Return the side that a person's recordings are on.

    Raises:
        KeyError: the file does not name the data set, or the person there.
    """
    one = splits()[dataset]
    for side in ("train", "validation", "test"):
        if person in getattr(one, side):
            return side
    raise KeyError(f"{dataset}: {person}")


def group_of_recording(dataset: str, recording: str) -> str:
    """Return the group of a recording of ARID or Workout, as 'Walk 14'; one of its own where it is not listed."""
    for group, recordings in splits()[dataset].recordings.items():
        if recording in recordings:
            return group
    return recording


def shortfalls(clips: Iterable[tuple[str, str, str]]) -> list[str]:
    """Say what the data cannot give, a sentence each.

    A class whose only group validates is not trained on in that fold, by these clips; a class that a side
    shows in one group only has no figure for new places or people, but for that one; a group
    that shows one class only cannot tell the place from the action.

    Args:
        clips: (data set, class, group) of each.
    """
    sentences = []
    by_set: dict[str, set[tuple[str, str]]] = {}
    for dataset, name, group in clips:
        by_set.setdefault(dataset, set()).add((name, group))
    for dataset, pairs in sorted(by_set.items()):
        if dataset not in splits():
            sentences.append(f"{dataset}: splits.toml does not name it, so that it only trains.")
            continue
        kind = splits()[dataset].group
        for side, inside in (("training and validation", False), ("test", True)):
            own = {(n, g) for n, g in pairs if (g in splits()[dataset].test) == inside}
            if not own:
                sentences.append(f"{dataset}: no {side} clips.")
                continue
            of_class: dict[str, set[str]] = {}
            of_group: dict[str, set[str]] = {}
            for name, group in own:
                of_class.setdefault(name, set()).add(group)
                of_group.setdefault(group, set()).add(name)
            lone = sorted(name for name, groups in of_class.items() if len(groups) == 1)
            if lone:
                sentences.append(
                    f"{dataset}, {side}: one {kind} only shows {', '.join(lone)}"
                    + (
                        "."
                        if inside
                        else ": while it validates, no other clip of the set trains it."
                    )
                )
            single = sorted(group for group, named in of_group.items() if len(named) == 1)
            if single and len(of_class) > 1:
                sentences.append(
                    f"{dataset}, {side}: {len(single)} of {len(of_group)} groups ({kind}) show one action "
                    f"each: {', '.join(single)}."
                )
    return sentences
