"""All chosen models on all chosen edits of a clip, and what that says of each model.

How far an edit moves a model is the total-variation distance between its probabilities p for the clip
and q for the edited clip: half the sum of |p - q| over the classes, 0 where nothing changes and 1 where
all of the probability goes elsewhere.

A model's *temporal sensitivity* is the mean of these distances over the edits of time, its *picture
sensitivity* the mean over the edits of the picture. Of edits of time the frames of every window that
the model reads are rearranged, so that 'backwards' and 'shuffled' show it the very same pictures: a
model that looks at frames one by one and averages has a distance of exactly 0 there.

Shuffling frames as a test of whether time matters follows Sevilla-Lara et al., "Only Time Can Tell"
(WACV 2021, arXiv 1907.08340), and taking the motion away Huang et al., "What Makes a Video a Video"
(CVPR 2018); the distance as a number for a single clip is ours.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from har_demo.errors import ChoiceError, ClipError
from har_demo.explain.edits import Asked, pictures
from har_demo.explain.film import Excerpt, Stretch
from har_demo.explain.moving import moving
from har_demo.labels import MIRRORED
from har_demo.recognize.plan import Plan, plan
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import answers

ORDER = ("reverse", "shuffle")  # the edits that show the very same pictures
ALIKE = 0.05  # sensitivities closer than this are called alike
UNSURE = 0.3  # below this the likeliest answer is little more than a guess
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Cell:
    """One model's answer to one edit, beside its answer to the clip.

    Attributes:
        edit: what was done to the clip.
        scores: float32 [classes], probabilities; of a mirrored clip those of actions to the left and
            to the right have changed places, so that they compare with the clip's.
        answer, probability: the likeliest class of the edited clip, as the model said it.
        same: whether that is the clip's answer, left and right exchanged where mirrored.
        change: how much the probability of the clip's answer rose (positive) or fell.
        distance: total variation, 0 to 1.
    """

    edit: Asked
    scores: np.ndarray
    answer: str
    probability: float
    same: bool
    change: float
    distance: float


@dataclass(frozen=True)
class SensitivityRow:
    """One model: its answer to the clip and to every edit that it has seen by now."""

    model: str
    title: str
    plain: Prediction | ModelError | None = None
    cells: tuple[Cell | ModelError | None, ...] = ()

    @property
    def temporal(self) -> float | None:
        """Mean distance over the edits of time; None without any."""
        return self._mean(lambda cell: cell.edit.edit.group == "time")

    @property
    def picture(self) -> float | None:
        """Mean distance over the edits of the picture; None without any."""
        return self._mean(lambda cell: cell.edit.edit.group == "picture")

    @property
    def order(self) -> float | None:
        """Mean distance over the edits that show the very same pictures; None without any."""
        return self._mean(lambda cell: cell.edit.edit.name in ORDER)

    def _mean(self, wanted: Callable[[Cell], bool]) -> float | None:
        found = [one.distance for one in self.cells if isinstance(one, Cell) and wanted(one)]
        return float(np.mean(found)) if found else None


@dataclass(frozen=True)
class Grid:
    """The results so far: a row for every model, a cell for every edit."""

    stretch: Stretch
    asked: tuple[Asked, ...]
    rows: tuple[SensitivityRow, ...]

    @property
    def complete(self) -> bool:
        """True once every model has answered everything."""
        return all(row.plain is not None and None not in row.cells for row in self.rows)

    def with_answer(self, row: int, column: int, answer: Prediction | ModelError) -> "Grid":
        """The same with one more answer; column -1 is the clip itself."""
        old = self.rows[row]
        if column < 0:
            new = replace(old, plain=answer)
        else:
            cell = compared(old.plain, self.asked[column], answer)
            new = replace(old, cells=(*old.cells[:column], cell, *old.cells[column + 1 :]))
        return replace(self, rows=(*self.rows[:row], new, *self.rows[row + 1 :]))


def grid(
    film: Excerpt,
    models: Sequence[str],
    asked: Sequence[Asked],
    on_progress: Progress = lambda fraction, sentence: None,
) -> Iterator[Grid]:
    """Show the clip and every edit of it to every model; the grid so far, after every answer.

    The first grid holds no answer. Frames are decoded by `film`, once; a model prepares the frames of
    a window once for all edits of time. An edit that cannot be made, and a model that cannot answer,
    become a ModelError in their cells, and the others go on.

    Args:
        film: from `har_demo.explain.film`.
        models: names of model cards.
        asked: from `har_demo.explain.edits.several`.
        on_progress: called with the share that is done and a short sentence.

    Raises:
        ChoiceError: no model or no edit is chosen, or a model does not exist or cannot be asked.

    Example:
        >>> *_, last = grid(film(ingest("clip.mp4")), ["tsm_lab"], several(["reverse"]))
        >>> last.rows[0].temporal
        0.31
    """
    models = list(dict.fromkeys(models))
    if not models:
        raise ChoiceError("No model is chosen: choose at least one.")
    if not asked:
        raise ChoiceError("No edit is chosen: choose at least one.")
    plain = [plan(film.clip, Request(name)) for name in models]
    return _grids(film, plain, tuple(asked), on_progress)


def _grids(
    film: Excerpt, plain: list[Plan], asked: tuple[Asked, ...], on_progress: Progress
) -> Iterator[Grid]:
    rows = tuple(
        SensitivityRow(one.card.name, one.card.title, cells=(None,) * len(asked)) for one in plain
    )
    now = Grid(film.stretch, asked, rows)
    yield now

    timed = [n for n, one in enumerate(asked) if one.edit.group == "time"]
    pictured = [n for n, one in enumerate(asked) if one.edit.group == "picture"]
    parts = len(timed) + 1, *[1] * len(pictured)

    def within(part: int, what: str) -> Progress:
        before, share = sum(parts[:part]) / sum(parts), parts[part] / sum(parts)
        return lambda done, sentence: on_progress(before + share * done, f"{what}: {sentence}")

    # Model by model: its plans look at the same frames, which are then prepared once.
    columns = [-1, *timed]
    plans = [
        one if column < 0 else rearranged(film, one, asked[column])
        for one in plain
        for column in columns
    ]
    told = answers(film.clip, plans, within(0, "Edits of time"), read=film.read)
    for number, answer in enumerate(told):
        now = now.with_answer(*_place(number, columns), answer)
        yield now

    moves = cache(lambda: moving(film.frames, film.clip.fps))
    for part, column in enumerate(pictured, start=1):
        one = asked[column]

        def read(clip, indices, one=one):
            return pictures(film.frames[indices], indices, one, moves)

        if one.edit.kind == "moving":
            on_progress(sum(parts[:part]) / sum(parts), "Looking for what moves")
            try:
                moves()
            except ClipError as problem:
                for row, model in enumerate(plain):
                    refusal = ModelError(model.card.name, model.card.title, str(problem))
                    now = now.with_answer(row, column, refusal)
                yield now
                continue
        told = answers(film.clip, plain, within(part, one.edit.title), read=read)
        for row, answer in enumerate(told):
            now = now.with_answer(row, column, answer)
            yield now


def _place(number: int, columns: Sequence[int]) -> tuple[int, int]:
    row, column = divmod(number, len(columns))
    return row, columns[column]


def rearranged(film: Excerpt, one: Plan, asked: Asked) -> Plan:
    """A model's plan for an edit of time.

    Most of them rearrange the frames of every window. Another speed changes the clip, of which the
    model then takes frames as it always does.
    """
    if asked.edit.kind == "pace":
        order = asked.edit.change(len(film.frames), asked.strength)
        question = Request(one.card.name, weights=one.weights)
        faster = plan(replace(film.clip, frames=len(order)), question)
        return replace(faster, indices=order[faster.indices], moments=faster.indices)
    order = asked.edit.change(one.indices.shape[1], asked.strength)
    return replace(one, indices=one.indices[:, order], moments=one.indices)


def compared(
    plain: Prediction | ModelError | None, asked: Asked, answer: Prediction | ModelError
) -> Cell | ModelError:
    """An answer to an edit beside the one to the clip."""
    if isinstance(answer, ModelError):
        return answer
    if not isinstance(plain, Prediction):
        return plain
    before, said = plain.overall, answer.overall
    exchanged = mirrored(answer.classes) if asked.edit.name == "mirror" else slice(None)
    after = said[exchanged]
    best = int(before.argmax())
    return Cell(
        edit=asked,
        scores=after,
        answer=answer.classes[int(said.argmax())],
        probability=float(said.max()),
        same=int(after.argmax()) == best,
        change=float(after[best] - before[best]),
        distance=distance(before, after),
    )


def distance(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation between two sets of probabilities.

    >>> distance(np.array([0.75, 0.25]), np.array([0.25, 0.75]))
    0.5
    """
    return float(np.abs(p.astype(np.float64) - q.astype(np.float64)).sum() / 2)


def mirrored(classes: Sequence[str]) -> np.ndarray:
    """For each class the index of what it is in a mirror, int64; most are themselves.

    >>> mirrored(("swiping left", "walking", "swiping right")).tolist()
    [2, 1, 0]
    """
    places = {name: number for number, name in enumerate(classes)}
    return np.array([places.get(_in_a_mirror(name), places[name]) for name in classes])


def _in_a_mirror(name: str) -> str:
    if name in MIRRORED:
        return MIRRORED[name]
    other = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub(r"\b(left|right)\b", lambda word: other[word[0]], name, flags=re.IGNORECASE)


def ranking(grid: Grid) -> tuple[SensitivityRow, SensitivityRow] | None:
    """Return the models of highest and lowest temporal sensitivity; None where that is one model, or they are alike."""
    timed = sorted((row for row in grid.rows if row.temporal is not None), key=lambda r: r.temporal)
    if not timed or timed[-1].temporal - timed[0].temporal < ALIKE:
        return None
    return timed[-1], timed[0]


def verdict(grid: Grid) -> list[str]:
    """Describe the results in sentences; [] until every model has answered everything.

    Nothing is said that is not in the numbers, and nothing of other clips.
    """
    known = [row for row in grid.rows if isinstance(row.plain, Prediction)]
    if not grid.complete or not known:
        return []
    said = []
    for row in known:
        said += _of_certainty(row) + _of_order(row) + _of_both(row)
    return said


def _of_certainty(row: SensitivityRow) -> list[str]:
    name, probability = row.plain.top(1)[0]
    if probability >= UNSURE:
        return []
    return [
        f"{row.title} is not sure what the clip shows ('{name}', {_percent(probability)}): "
        "read its changes of mind with care."
    ]


def _of_order(row: SensitivityRow) -> list[str]:
    """Say whether a model noticed that the same pictures came in another order."""
    if row.order is None:
        return []
    cells = [cell for cell in row.cells if isinstance(cell, Cell) and cell.edit.edit.name in ORDER]
    which = " and ".join(cell.edit.edit.title.lower() for cell in cells)
    if all(cell.distance < 0.01 for cell in cells):
        return [
            f"{row.title} answers the same {which}: here the order of the frames tells it nothing."
        ]
    # Backwards says more than shuffled: standing up becomes sitting down, which is an action too.
    cells.sort(key=lambda cell: ORDER.index(cell.edit.edit.name))
    changed = next((cell for cell in cells if not cell.same), None)
    if changed is None:
        return []
    name, probability = row.plain.top(1)[0]
    return [
        f"{changed.edit.edit.title}, with the very same pictures, {row.title} says "
        f"'{changed.answer}' ({_percent(changed.probability)}) in place of '{name}' ({_percent(probability)})."
    ]


def _of_both(row: SensitivityRow) -> list[str]:
    """Say to which edits a model is more sensitive, where the difference is clear."""
    if row.temporal is None or row.picture is None:
        return []
    more, less = max(row.temporal, row.picture), min(row.temporal, row.picture)
    if more < 0.1:
        return [f"No kind of edit moves {row.title} far (at most {more:.2f} in the mean)."]
    if more < 1.5 * less:
        return []
    kind = "time" if row.temporal > row.picture else "the picture"
    return [
        f"Edits of {kind} move {row.title} further than the others do "
        f"({more:.2f} against {less:.2f})."
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
