"""List of the image-text models, whether they could answer now, and the loaded ones, kept in memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

import torch

from har_demo.device import device as best_device
from har_demo.errors import WeightsError
from har_demo.prompts import (
    clip_prompts,
    default,
    embedded,
    kinetics,
    learned,
    online,
    packaged,
)
from har_demo.prompts.image_text import ImageTextModel
from har_demo.weights import hub, shipped
from har_demo.weights.state import megabytes

EMBEDDED = (
    "This recogniser needs no network once its weights are here. It was never shown a picture with its "
    "caption. With I3D's weights it knows the 400 actions of Kinetics, and how close their names and other "
    "wordings of them come to your words; actions that are near none of the 400 are found less often. "
    "Beside them it knows the 1,000 things of ImageNet. Without I3D these are most of what it knows: it is "
    "then good at actions that have a thing of their own (a bicycle, a barbell, a guitar) and poor at those "
    "that have none. Motion was learned from rendered people and a few real clips of 39 everyday actions, "
    "and is weak beyond them. It reads English only, and knows no names, counts or negations."
)
ONLINE = (
    "This model was trained on pictures and their captions from the web, not on videos: each frame is "
    "looked at alone, so it knows things, places and poses better than motion, and cannot tell an action "
    "from its reverse."
)

KEPT = 2  # image-text models in memory: one of CLIP's takes 600 MB

_kept: OrderedDict[tuple[str, str], ImageTextModel] = OrderedDict()
_written: dict[tuple[str, str], int] = {}  # when what was learned around a kept model was written
_gate = threading.Lock()


@dataclass(frozen=True)
class ImageTextCard:
    """An image-text model that can be asked for.

    Attributes:
        name, title: to ask for it, and for people.
        state: 'here' answers at once; 'download' is to be fetched first; 'missing' cannot be had now.
        bytes: of the weights; for open_clip's about, four for each parameter; 0 where unknown.
        licence: of the weights; 'see model card' for those of open_clip's that are not recommended.
        link: address of the model card; '' for the embedded model.
        sentence: all of that for people.
        recommended: whether to offer it first.
    """

    name: str
    title: str
    state: Literal["here", "download", "missing"]
    bytes: int
    licence: str
    link: str
    sentence: str
    recommended: bool = False


def image_text_models() -> list[ImageTextCard]:
    """Every image-text model: the embedded one, then open_clip's. Looks at names of files only."""
    return [card(embedded.NAME), *map(card, online.names())]


def offered(name: str) -> str:
    """The same name, if a page or a program may ask for it: the default's or that of a card.

    Folders of the user's own are for the command line alone.

    Raises:
        ChoiceError: there is none of that name.
    """
    return name if name == default.NAME else card(name).name


def card(name: str) -> ImageTextCard:
    """Return the card of one image-text model, without loading it.

    Raises:
        ChoiceError: there is none of that name.
    """
    if name == embedded.NAME:
        return _embedded()
    online.check_name(name)
    size, licence, link = online.size(name), online.licence(name), online.model_card(name)
    about = f"about {megabytes(size)}" if size else "of unknown size"
    state, sentence = "download", f"Weights ({about}) will be fetched at the first question."
    if online.here(name):
        state, sentence = "here", f"Weights were fetched earlier ({about})."
    elif hub.offline():
        state, sentence = "missing", f"Weights ({about}) are not here, and the app stays offline."
    if file := clip_prompts.here(name):
        sentence += (
            f" {file.name} holds prompts learned around it: choose the pooling 'transformer'."
        )
    return ImageTextCard(
        name=name,
        title=name.replace("/", " · "),
        state=state,
        bytes=size,
        licence=licence,
        link=link,
        sentence=f"{sentence} Licence: {licence}{f', {link}' * (licence == online.SEE_CARD)}.",
        recommended=name in online.RECOMMENDED,
    )


def about(name: str) -> str:
    """Return a few sentences on what an image-text model can and cannot do."""
    return EMBEDDED if name == embedded.NAME else ONLINE


def load(name: str | None = None, device: torch.device | str | None = None) -> ImageTextModel:
    """An image-text model, loaded at most once; two users who want the same wait for one load.

    A model that was asked for by its name is never replaced. Where CLIP is the default and cannot be
    fetched, the embedded model answers and its `notes` say so.

    Args:
        name: of a card, or 'local-dir:' and a folder in open_clip's format; None or 'default' for
            that which har_demo.prompts.default chooses.
        device: a CUDA GPU if there is one.

    Raises:
        ChoiceError: there is none of that name.
        WeightsError: its weights are not here and cannot be fetched.
    """
    if name is None or name == default.NAME:
        return _load_default(device)
    device = device or best_device()
    learned_around = None if name == embedded.NAME else clip_prompts.here(name)
    written = learned_around.stat().st_mtime_ns if learned_around else 0
    key = (name, str(device))
    with _gate:
        if key not in _kept or _written.get(key, 0) != written:
            make = embedded.load if name == embedded.NAME else lambda at: online.load(name, at)
            model = make(device)
            _kept[key] = (
                clip_prompts.with_learned(model, learned_around) if learned_around else model
            )
            _written[key] = written
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


def _load_default(device: torch.device | str | None) -> ImageTextModel:
    chosen = default.default_model()
    if chosen.name != embedded.NAME:
        try:
            return load(chosen.name, device)
        except WeightsError:
            chosen = default.fetching_failed()
    model = load(chosen.name, device)
    return replace(model, notes=(chosen.why,)) if chosen.replaces else model


def forget() -> None:
    """Drop every kept image-text model."""
    with _gate:
        _kept.clear()


def _embedded() -> ImageTextCard:
    size = packaged.IMAGES.bytes + packaged.SENTENCES.bytes
    try:
        packaged.check_installed(packaged.IMAGES)
        packaged.check_installed(packaged.SENTENCES)
    except WeightsError as error:
        state, sentence = "missing", str(error)
    else:
        files = (embedded.FILE, learned.FILE, kinetics.FILE)
        gone = [one for one in files if not (shipped.folder() / one).is_file()]
        state = "missing" if gone else "here"
        sentence = f"Weights come with the app's packages ({megabytes(size)}). {_i3d()}"
        if gone:
            sentence = f"{gone[0]} is missing: fetch checkpoints/ again."
    licence = "Apache-2.0"
    return ImageTextCard(
        name=embedded.NAME,
        title=embedded.TITLE,
        state=state,
        bytes=size,
        licence=licence,
        link="",
        sentence=f"{sentence} Licence: {licence}.",
        recommended=True,
    )


def _i3d() -> str:
    if kinetics.here():
        return "I3D (Kinetics-400) answers with it."
    return "I3D (Kinetics-400) is not here: run `har-demo weights --fetch i3d`."
