"""The lecture's story in order: what each step tries, which of our networks are of it, how they did here.

The words are this project's own. Every figure is looked up: sizes in the networks, scores in
results/measured, clips of data sets in results/published/datasets.csv.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from har_demo import assets
from har_demo.labels import DATASETS
from har_demo.models.card import ModelCard
from har_demo.models.registry import card, cards
from har_demo.tables.datasets import TEST_SETS
from har_demo.tables.measured import INPUTS, MeasuredRow, confusion, entries
from har_demo.tables.rows import kept_rows
from har_demo.tables.statistics import guessing

RESULTS = assets.RESULTS


@dataclass(frozen=True)
class System:
    """One system: the name of its card in the paper's size, and in tiny size, '' where there is none."""

    paper: str
    tiny: str = ""

    @property
    def card(self) -> ModelCard:
        """The paper's card, or the tiny one's where that is the only one."""
        return card(self.paper or self.tiny)


@dataclass(frozen=True)
class Chapter:
    """One step of the story.

    Attributes:
        name: for links.
        title: as it is headed.
        question: the one it answers.
        text: what was tried and why, in a few sentences.
        open_question: what it leaves to the next step.
    """

    name: str
    title: str
    question: str
    text: str
    open_question: str

    @property
    def systems(self) -> tuple[System, ...]:
        """Our systems of this step, from the oldest to the newest: the models whose cards name it."""
        shown = sorted(
            (c for c in cards().values() if c.chapter == self.name), key=lambda c: c.year
        )
        tiny = {c.tiny_of: c.name for c in shown if c.tiny_of}
        pairs = [System(c.name, tiny.get(c.name, "")) for c in shown if c.size == "paper"]
        paired = {name for pair in pairs for name in (pair.paper, pair.tiny)}
        return (*pairs, *(System("", c.name) for c in shown if c.name not in paired))


CHAPTERS = (
    Chapter(
        "fusion",
        "Pictures, joined",
        "A video is a row of pictures. Is a network for pictures enough?",
        "Take an image network and decide where its frames shall meet: never (one frame answers "
        "alone), at the very end, in the first layer, or little by little. Sampling frames from all "
        "over the clip and averaging, relating them in order, or shifting some channels to the next "
        "frame are later answers to the same question, and cost no more than the pictures do.",
        "Where frames meet late or are averaged, order is lost: whatever moves is seen as a place, not "
        "as a change.",
    ),
    Chapter(
        "recurrent",
        "Reading frames in order",
        "If a video is a sequence, why not read it as one?",
        "An image network writes a vector for each frame, and a recurrent network reads them one after "
        "another, keeping what it needs. Plain recurrence forgets, since its gradient is multiplied by "
        "something below one at every step; the gates of an LSTM or a GRU let it pass.",
        "A step cannot begin before the last one ends, so that a GPU waits; and by the time the memory "
        "sees a frame, where things were is gone from its vector.",
    ),
    Chapter(
        "streams",
        "Motion as a picture",
        "Motion is what flow measures. Can a network be shown it?",
        "Optical flow says for every pixel where it goes. Stack ten fields of it as channels, give them "
        "to a second image network, and add what both answer: one knows what things look like, the "
        "other how they move. Later ones teach a network of frames to imitate the one of flow, or take "
        "differences of frames as the cheapest flow there is.",
        "Flow has to be computed and kept before the network runs, and is not learned with it.",
    ),
    Chapter(
        "volume",
        "A video as a volume",
        "Why treat time unlike height and width?",
        "Give the convolution's kernel an extent in time, and motion is learned with all the rest. C3D "
        "does it plainly. I3D begins from an image network instead, each of its filters copied along "
        "time, so that a still film gets the picture's answer. SlowFast looks twice: rarely with many "
        "channels for what is there, often with few for what changes.",
        "A 3×3×3 kernel has three times the weights of a 3×3 one, and the network pays for every "
        "moment as well.",
    ),
    Chapter(
        "factorised",
        "Space first, then time",
        "Must a kernel look in all directions at once?",
        "Split it: one convolution within each frame, one along time, and a ReLU in between. That is "
        "easier to learn, and P3D, R(2+1)D and S3D differ in how they arrange and pay for it. CorrNet "
        "adds what no convolution does: it compares each place with those around it in the next frame.",
        "Most of the cost is now in how channels mix, not in how far kernels look.",
    ),
    Chapter(
        "grouped",
        "Channels in groups",
        "Must every channel look at every other?",
        "Cut the channels into groups that mix among themselves only: weights and multiply-adds fall "
        "with the number of groups, the pairs of channels that meet even faster. CSN goes to the end, "
        "one channel a group, and mixes them in 1×1×1 convolutions, which are cheap. MFNet has fibres "
        "and a junction between them; X3D grows such a network one dimension at a time.",
        "However cheap, a convolution still sees its neighbourhood and no more.",
    ),
    Chapter(
        "far",
        "Everything with everything",
        "What if the hand now and the ball a second later must be seen together?",
        "A non-local block gives each place a weighted sum over all places and moments, the weights "
        "being how alike two places are: attention, inside a convolutional network. CGNL also relates "
        "channels, CGD keeps a few descriptions of the whole only, and the pyramid of MFNet-PNL relates "
        "places with regions of several sizes instead of points.",
        "It costs with the square of the places, so that there are few such blocks, late in the network.",
    ),
    Chapter(
        "transformer",
        "Attention alone",
        "If attention helps so much, are the convolutions needed?",
        "Cut the video into small blocks, call them words, and let layers of attention do the rest. "
        "Video Swin lets a block attend within a window of space and time, and shifts the windows from "
        "layer to layer so that news travels. The Action Transformer asks around one person instead.",
        "Without what convolutions know of pictures from the start, it takes far more clips to learn.",
    ),
    Chapter(
        "language",
        "From numbers to words",
        "A class is a number to a network. What if it were a sentence?",
        "Two networks, one for pictures and one for sentences, are trained until what belongs together "
        "comes close. An action is then found by describing it, also one that nobody trained for. "
        "Prompting keeps both networks as they are and learns a few vectors around the class's name, "
        "and a small transformer over the frames.",
        "A sentence must be precise, motion is hard to say, and the two networks were trained on "
        "pictures.",
    ),
)


def chapter(name: str) -> Chapter | None:
    """Return the chapter of that name."""
    return next((chapter for chapter in CHAPTERS if chapter.name == name), None)


@dataclass(frozen=True)
class Limit:
    """One finding about a tiny model: words whose numbers are from the tables."""

    words: str
    worse: bool


def measured_of(system: System) -> MeasuredRow | None:
    """Return the scores of a system's tiny model; with its own input where there are several."""
    rows = [row for row in entries() if row.model.split(".")[0] == system.tiny]
    return next((row for row in rows if row.key == system.tiny), rows[0] if rows else None)


def limits(row: MeasuredRow) -> tuple[Limit, ...]:
    """Return the limits and strengths of a model that the tables show."""
    findings = []
    dark = row.figures.get(("arid6", "top1"))
    if dark:
        low, high = dark.interval
        guess = guessing(DATASETS["arid6"])
        words = "" if low > guess else " It cannot be told from guessing."
        findings.append(
            Limit(
                f"In dark places it never saw: {dark.words()} % of {dark.clips} clips, {low:.0f} to {high:.0f} by "
                f"clip (95 %) and more by place; guessing among the {len(DATASETS['arid6'])} actions filmed there "
                f"gets {guess:.1f}.{words}",
                low <= guess,
            )
        )
        for other in (e for e in entries() if e.model == row.model and e.input != row.input):
            if (way := INPUTS.get(other.input)) and (
                figure := other.figures.get(("arid6", "top1"))
            ):
                words = f"The same network {way}: {figure.words()} %."
                findings.append(Limit(words, dark.mean < figure.mean))
    order = row.figures.get(("rendered", "order"))
    if order:
        low, high = order.interval
        if low > 50:
            words = f"It tells {order.words()} % of pairs apart that differ in order alone; guessing gets 50."
        elif high < 50:
            words = f"It gets pairs that differ in order wrong more often than guessing: {order.words()} %."
        else:
            words = (
                f"It cannot be told from guessing on pairs that differ in order alone: {order.words()} % of "
                f"{order.clips} pairs, and guessing gets 50."
            )
        findings.append(Limit(words, low <= 50))
    table = confusion(row, "rendered")
    mistakes = table.mistakes() if table else []
    if mistakes:
        true, predicted, count, total = mistakes[0]
        findings.append(
            Limit(f"Its most frequent mistake: {true} for {predicted}, {count} of {total}.", True)
        )
    return tuple(findings)


def scores(row: MeasuredRow) -> dict[str, float]:
    """Return test set → top-1 in percent."""
    return {
        dataset: row.figures[dataset, "top1"].mean
        for dataset in TEST_SETS
        if (dataset, "top1") in row.figures
    }


def prompting() -> tuple[str, ...]:
    """Return what the table of learned prompts says, as sentences; none where it is not there."""
    file = RESULTS / "measured/prompting_fewshot.csv"
    rows = [row for row in kept_rows(file) if row["tested_on"] == "rendered"]
    plain = [row for row in rows if row["method"] == "class name"]
    learned = [row for row in rows if int(row["trained_parameters"])]
    if not plain or not learned:
        return ()
    most = max((row["shots"] for row in learned), key=int)
    scores = [float(row["top1"]) for row in learned if row["shots"] == most]
    return (
        f"With the class's name alone the embedded encoders get {plain[0]['top1']} % of "
        f"{plain[0]['clips']} rendered clips right, among 39 actions.",
        f"With {learned[0]['method']}, learned from {most} clips a class: "
        f"{sum(scores) / len(scores):.1f} %, the mean of {len(scores)} trainings.",
    )


@dataclass(frozen=True)
class DataSet:
    """One data set; the attributes are the columns of results/published/datasets.csv."""

    name: str
    year: int
    classes: int
    clips: int
    scale: str
    scenes: str
    in_lecture: bool
    source: str
    status: str
    note: str


COLUMNS = (
    "data set", "year", "classes", "clips", "scale", "scenes", "in the lecture", "source", "status", "note"
)  # fmt: skip
SCALES = ("very small", "small", "medium", "large", "very large")
STATUSES = ("documented", "unverified")


def data_sets(path: Path = RESULTS / "published/datasets.csv") -> tuple[DataSet, ...]:
    """Return the data sets in the order of their years.

    Raises:
        ValueError: a row is not as it should be; the message names the file and the line.
    """
    return _data_sets(path)


@cache
def _data_sets(path: Path) -> tuple[DataSet, ...]:
    sets = []
    with open(path, newline="", encoding="utf-8") as file:
        lines = csv.reader(file, strict=True)
        try:
            if tuple(next(lines, ())) != COLUMNS:
                raise ValueError(f"the columns are not {', '.join(COLUMNS)}")
            for cells in lines:
                sets.append(_data_set(cells))
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path}, line {max(lines.line_num, 1)}: {error}") from error
    return tuple(sorted(sets, key=lambda one: one.year))


def _data_set(cells: list[str]) -> DataSet:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} cells instead of {len(COLUMNS)}")
    name, year, classes, clips, scale, scenes, lecture, source, status, note = cells
    if not name or not source:
        raise ValueError("a data set needs a name and a source")
    for word, known in ((scale, SCALES), (status, STATUSES), (lecture, ("yes", "no"))):
        if word not in known:
            raise ValueError(f"'{word}' is not of {', '.join(known)}")
    return DataSet(
        name,
        int(year),
        int(classes),
        int(clips),
        scale,
        scenes,
        lecture == "yes",
        source,
        status,
        note,
    )


def as_json() -> dict:
    """Return the story with all that was looked up, for programs."""
    return {
        "chapters": [
            {
                "name": one.name,
                "title": one.title,
                "asks": one.question,
                "tells": one.text,
                "leaves": one.open_question,
                "systems": [_system_json(system) for system in one.systems],
                **({"measured": list(prompting())} if one.name == "language" else {}),
            }
            for one in CHAPTERS
        ],
        "data_sets": [vars(one) for one in data_sets()],
    }


def _system_json(system: System) -> dict:
    one = measured_of(system)
    return {
        "title": system.card.title,
        "model": system.paper,
        "lab_model": system.tiny,
        "year": system.card.year,
        "idea": system.card.idea,
        "percent_right": scores(one) if one else {},
        "limits": [limit.words for limit in limits(one)] if one else [],
    }
