"""Checks of a shipped checkpoint that run nothing.

Five questions, in this order: is the file there, is it that very file, does it know the classes that
the pages name, do its parameters fit the network, and was its accuracy measured?
"""

from dataclasses import dataclass
from typing import Literal

from safetensors import SafetensorError, safe_open

from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.models.without_numbers import without_numbers

from . import shipped
from .state import megabytes, sha256

Question = Literal["file", "hash", "label set", "parameters", "accuracy"]


@dataclass(frozen=True)
class Check:
    """Result of one check of a checkpoint, with a sentence."""

    question: Question
    ok: bool
    sentence: str

    @property
    def words(self) -> str:
        """Check and result in two or three words."""
        answers = {"accuracy": ("measured", "not measured"), "parameters": ("fit", "do not fit")}
        return f"{self.question} {answers.get(self.question, ('ok', 'wrong'))[not self.ok]}"


@dataclass(frozen=True)
class Health:
    """Results of all checks of one shipped checkpoint.

    Attributes:
        model, title: whose weights they are; a model that nobody knows has its name for a title.
        file: the file's name.
        checks: the questions, in order; a question that makes no sense without another is left out.
    """

    model: str
    title: str
    file: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return all(check.ok for check in self.checks)


def every_health() -> list[Health]:
    """Return the health of every checkpoint that the manifest lists, in its order.

    Raises:
        WeightsError: the manifest cannot be read.
    """
    return [health(entry) for entry in shipped.entries()]


def health(entry: dict) -> Health:
    """Compare a manifest's entry with the file and with the model's card.

    The file is hashed, which takes some milliseconds; of its tensors only names and shapes are read.
    """
    try:
        card = registry.card(entry["model"])
    except ChoiceError as error:
        unknown = Check("label set", False, str(error))
        return Health(entry["model"], entry["model"], entry["file"], (*_file(entry), unknown))
    checks = [*_file(entry), _labels(entry, card)]
    if shipped.path(entry).is_file():
        checks.append(_parameters(entry, card))
    return Health(card.name, card.title, entry["file"], (*checks, _accuracy(entry)))


def _file(entry: dict) -> tuple[Check, ...]:
    path = shipped.path(entry)
    try:
        size = path.stat().st_size if path.is_file() else None
        digest = None if size is None else sha256(path)
    except OSError as error:
        return (Check("file", False, f"The file cannot be read ({error.strerror})."),)
    if size is None or digest is None:
        return (Check("file", False, "The file is missing: fetch checkpoints/ again."),)
    if size != entry.get("bytes"):
        file = f"It has {size} bytes, the manifest says {entry.get('bytes')}."
    elif size > shipped.LARGEST:
        file = f"It has {size} bytes, over the limit of {shipped.LARGEST}."
    else:
        file = ""
    same = digest == entry.get("sha256")
    hashed = (
        f"sha256 {digest[:12]}…, as the manifest says."
        if same
        else f"sha256 {digest[:12]}… is not the manifest's: fetch checkpoints/ again."
    )
    return (
        Check("file", not file, file or f"{megabytes(size)}, as the manifest says."),
        Check("hash", same, hashed),
    )


def _labels(entry: dict, card: ModelCard) -> Check:
    """Check that weights, card and checkpoints/labels.json name the same classes in the same order."""
    classes, named = tuple(entry.get("classes", ())), entry.get("label_set")
    if (classes, named) != (card.classes, card.label_set):
        sentence = (
            f"Trained for {len(classes)} classes of {named}, but the model names the "
            f"{len(card.classes)} of {card.label_set}."
        )
        if len(classes) == len(card.classes):
            sentence = "Its classes have other names, or another order, than the model's."
        return Check("label set", False, sentence)
    if classes != EVERYDAY[: len(classes)]:
        return Check("label set", False, f"Its classes are not the first of {LABEL_SET}.")
    return Check("label set", True, f"{card.label_set}: {len(classes)} actions, in their order.")


def _parameters(entry: dict, card: ModelCard) -> Check:
    """Check that names, shapes and number of the file's tensors are those of the network."""
    try:
        with safe_open(shipped.path(entry), "pt") as file:
            stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError):
        return Check("parameters", False, "The file is damaged: fetch checkpoints/ again.")
    with without_numbers():
        network = card.build(len(card.classes))
    every = network.state_dict()
    own = {name: tuple(t.shape) for name, t in every.items() if t.is_floating_point()}
    given = {name: shape for name, shape in stored.items() if name in own or name not in every}
    odd = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))
    if odd:
        first = "".join(letter for letter in odd[0][:80] if letter.isprintable())
        return Check(
            "parameters",
            False,
            f"{len(odd)} of its tensors do not fit the network (first: {first}).",
        )
    count = sum(p.numel() for p in network.parameters())
    for stated, by in ((entry.get("parameters"), "manifest"), (card.parameters, "card")):
        if stated != count:
            sentence = f"The network has {count:,} parameters, the {by} says {stated}."
            return Check("parameters", False, sentence)
    return Check("parameters", True, f"{count:,} in {len(own)} tensors, which fit the network.")


def _accuracy(entry: dict) -> Check:
    """Accuracies measured with this very file, and their dates."""
    measured = [
        f"{row['dataset']} {row['top1']:.1f} % of {row['clips']} clips"
        + (f" ({row['date']})" if row.get("date") else "")
        for row in entry.get("accuracy", ())
    ]
    if not measured:
        return Check("accuracy", False, "Nobody has measured it: no accuracy is recorded.")
    return Check("accuracy", True, "; ".join(measured) + ".")
