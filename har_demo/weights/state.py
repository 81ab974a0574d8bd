"""A file of parameters becomes a state dict, and a state dict becomes a network's parameters.

Files may come from anybody. Only tensors are taken out of them: a safetensors file holds nothing else,
torch.load(weights_only=True) refuses every other Python object instead of running its code, and what it
refuses `inert` reads without that object.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from har_demo.errors import WeightsError
from har_demo.models.card import ModelCard

from . import inert

LARGEST = 2_000_000_000
"""Bytes a file may have, and may unpack to."""

MOST_TENSORS = 20_000
LARGEST_HEADER = 10_000_000
"""Tensors a file may hold, and bytes in which a safetensors file may describe them. The published networks that are
known here have fewer than 2,000 tensors, described in under 300 kB."""

PICKLED = (".pt", ".pth", ".pyth", ".ckpt", ".pickle", ".pkl", ".tar")
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "blobs")
PREFIXES = ("module.", "model.")
"""Training scripts keep parameters under such keys, beside the optimiser's, and name them so when
the network was wrapped for several GPUs or by a trainer. Caffe2 calls them blobs."""

UNKNOWN_TENSORS = (
    "'{}' holds tensors that are too large, or of a kind that networks here do not "
    "have: save the network's state_dict() alone, best as .safetensors."
)
TOO_MANY = (
    f"'{{}}' holds more than {MOST_TENSORS:,} tensors, which no network here does: save one network's "
    "state_dict() alone."
)
PYTHON_OBJECTS = (
    "'{}' was not opened because it holds Python objects, which could run code: "
    "save the network's state_dict() alone, best as .safetensors."
)


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file, or of one of the `PICKLED` kinds, by name, wrappings removed.

    Raises:
        WeightsError: the file is missing, too large, damaged, or holds other things than tensors.
        Exception: of any kind, when sound files cannot be read either.
    """
    check_file(path)
    name = path.name
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        _check_header(path)

    # Parsers of damaged or hostile files raise whatever they stumble over, so all of it is caught.
    stubs = False
    try:
        tensors = _tensors(path)
    except WeightsError:
        raise
    except Exception as error:
        _check_reading(suffix)
        if suffix == ".safetensors":
            raise WeightsError(_damaged(name)) from error
        try:
            tensors, stubs = inert.read(path)
        except inert.UnknownTensor as unknown:
            raise WeightsError(UNKNOWN_TENSORS.format(name)) from unknown
        except Exception as other:
            raise WeightsError(_damaged(name)) from other
    try:
        return unwrapped(tensors, name)
    except WeightsError:
        if stubs:
            raise WeightsError(PYTHON_OBJECTS.format(name)) from None
        raise


def check_file(path: Path) -> None:
    """Refuse, before it is opened, what is no file of weights by its name, is not there or is too large.

    Raises:
        WeightsError: it is.
    """
    name = f"{path.name[:60]}{'…' * (len(path.name) > 60)}"
    if path.suffix.lower() not in (".safetensors", *PICKLED):
        known = ", ".join(PICKLED)
        raise WeightsError(f"'{name}' is no file of weights: give a .safetensors file, or {known}.")
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):  # no name that a file can have
        size = None
    if size is None:
        raise WeightsError(f"There is no file '{name}': give the weights again.")
    _check_size(name, size)


def _damaged(name: str) -> str:
    return (
        f"'{name}' is damaged or no file of weights: save it again with torch.save or safetensors."
    )


def unwrapped(tensors: object, name: str) -> dict[str, Tensor]:
    """Return the state dict inside what training scripts put around it, and nothing that is beside it."""
    for _ in WRAPPERS:
        inner = None
        if isinstance(tensors, Mapping):
            held = (tensors.get(key) for key in WRAPPERS)
            inner = next((value for value in held if isinstance(value, Mapping) and value), None)
        if inner is None:
            break
        tensors = inner
    found = tensors if isinstance(tensors, Mapping) else {}
    named = {k: v for k, v in found.items() if isinstance(k, str) and isinstance(v, Tensor)}
    if not named:
        raise WeightsError(f"'{name}' holds no tensors by name: save the network's state_dict().")
    if len(named) > MOST_TENSORS:
        raise WeightsError(TOO_MANY.format(name))
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in named):
            named = {key.removeprefix(prefix): value for key, value in named.items()}
    return named


def fill(network: nn.Module, tensors: Mapping[str, Tensor], card: ModelCard, name: str) -> None:
    """Make the tensors a model's parameters: `fit` for networks with a card.

    The tensors may have our names or those of any of the card's sources.
    """
    own = network.state_dict()
    maps = (card.key_map, *(source.key_map for source in card.sources))
    named = [tensors, *(key_map(tensors) for key_map in dict.fromkeys(maps) if key_map)]
    tensors = max(named, key=lambda state: len(own.keys() & state.keys()))
    fit(network, tensors, card.title, name, (len(card.classes), card.label_set))


def fit(
    network: nn.Module,
    tensors: Mapping[str, Tensor],
    title: str,
    name: str,
    classes: tuple[int, str] | None = None,
) -> None:
    """Make the tensors the network's parameters, all of them and nothing else.

    Half precision becomes the network's float32. Whole-number buffers stay the network's own: they
    count batches or index windows, and a wrong index would be looked up.

    Args:
        title: what the network is called in a sentence.
        name: of the file.
        classes: how many it tells apart, and what the set of them is called, if it does.

    Raises:
        WeightsError: tensors are missing, unknown, of another shape, or hold no finite numbers; the
            sentence counts them and names the first.
    """
    every = network.state_dict()
    own = {key: value for key, value in every.items() if value.is_floating_point()}
    given = {k: v for k, v in tensors.items() if k in own or k not in every}

    missing = [key for key in own if key not in given]
    unknown = [key for key in given if key not in own]
    misshapen = [key for key in own if key in given and own[key].shape != given[key].shape]
    if missing or unknown or misshapen:
        raise WeightsError(_misfit(title, classes, name, own, given, missing, unknown, misshapen))

    network.load_state_dict(every | {key: _floats(given[key], key, name) for key in own})


def _check_size(name: str, size: int) -> None:
    if size > LARGEST:
        raise WeightsError(
            f"'{name}' is over the limit of {megabytes(LARGEST)}: save the parameters alone, "
            "without the optimiser's."
        )


def _check_header(path: Path) -> None:
    """Refuse a safetensors file that describes more tensors than a network has, before it is parsed as a whole."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise WeightsError(_damaged(path.name))
        if length > LARGEST_HEADER:
            raise WeightsError(TOO_MANY.format(path.name))
        try:
            described = len(json.loads(file.read(length)))
        except (ValueError, TypeError, RecursionError) as error:
            raise WeightsError(_damaged(path.name)) from error
    if described > MOST_TENSORS:
        raise WeightsError(TOO_MANY.format(path.name))


def _check_reading(suffix: str) -> None:
    """Read a sound file of this kind: what fails here as well is no fault of the user's file."""
    with TemporaryDirectory() as folder:
        sound = Path(folder) / f"sound{suffix}"
        (save_file if suffix == ".safetensors" else torch.save)({"sound": torch.zeros(1)}, sound)
        _tensors(sound)


def _tensors(path: Path) -> object:
    return load_file(path) if path.suffix.lower() == ".safetensors" else _pickled(path)


def _pickled(path: Path) -> object:
    if zipfile.is_zipfile(path):
        # A few megabytes of zip can unpack to terabytes.
        with zipfile.ZipFile(path) as archive:
            _check_size(path.name, sum(member.file_size for member in archive.infolist()))
            if any(member.endswith("/constants.pkl") for member in archive.namelist()):
                raise WeightsError(
                    f"'{path.name}' is a TorchScript program, which is code beside its tensors: save the "
                    "network's state_dict() alone, best as .safetensors."
                )
    return torch.load(path, map_location="cpu", weights_only=True)


def _floats(tensor: Tensor, key: str, name: str) -> Tensor:
    """Return the tensor in float32, if it really holds finite numbers."""
    # Meta tensors hold nothing and sparse ones not every number; integers are no parameters.
    if tensor.is_floating_point() and tensor.layout == torch.strided and not tensor.is_meta:
        numbers = tensor.detach().float()
        # One infinite value or NaN makes the sum so, and no float32 values overflow a float64.
        if numbers.sum(dtype=torch.float64).isfinite():
            return numbers
    raise WeightsError(
        f"'{name}' cannot be used: {key} holds values that are not finite numbers; "
        "give weights from before the training broke."
    )


def printable(name: str) -> str:
    """Return an untrusted file's name for a tensor, fit to stand in a sentence."""
    return "".join(letter for letter in name[:80] if letter.isprintable())


def _misfit(title, classes, name, own, given, missing, unknown, misshapen) -> str:
    """Return one sentence about the tensors that do not fit."""
    other_classes = {given[key].shape[0] for key in misshapen if given[key].dim()}
    if (
        classes
        and not missing
        and not unknown
        and len(other_classes) == 1
        and all(own[key].shape[0] == classes[0] for key in misshapen)
        and all(own[key].shape[1:] == given[key].shape[1:] for key in misshapen)
    ):
        return (
            f"'{name}' was trained for {other_classes.pop()} classes, but {title} has the "
            f"{classes[0]} of {classes[1]} here: give weights for those."
        )
    parts = []
    if missing:
        parts.append(f"{len(missing)} of its {len(own)} tensors are missing (first: {missing[0]})")
    if unknown:
        parts.append(f"{len(unknown)} are unknown (first: {printable(unknown[0])})")
    if misshapen:
        key = misshapen[0]
        shapes = [("×".join(map(str, state[key].shape)) or "scalar") for state in (given, own)]
        parts.append(
            f"{len(misshapen)} have another shape (first: {key} is {shapes[0]}, not {shapes[1]})"
        )
    return (
        f"'{name}' does not fit {title}: {', '.join(parts)}; "
        "choose the model that it was trained as."
    )


_known: dict[tuple, str] = {}


def sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of the file's content.

    Remembered for as long as the file keeps its size and time of change: 400 MB take about a second.
    """
    facts = path.stat()
    key = (str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns)
    if key not in _known:
        with path.open("rb") as file:
            _known[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _known[key]


def megabytes(count: int) -> str:
    """Return a number of bytes in units of 10⁶, for people.

    >>> megabytes(133_545_591)
    '134 MB'
    """
    millions = count / 1e6
    return f"{millions:.0f} MB" if millions >= 10 else f"{millions:.1f} MB"
