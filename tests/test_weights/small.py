"""A small network, its card, and a package that carries its weights: other processes need them as well."""

import hashlib
import io
import pickle
import tarfile
from dataclasses import replace

from torch import nn

from har_demo.models.card import ModelCard, ModelInput, PackageSource
from har_demo.models.key_map import key_map

CLASSES = ("walking", "running", "jumping")
ARCHIVE = "small_weights-1.0.tar.gz"
FILE = "small_weights-1.0/small_weights/small.ckpt"


def small_network(classes: int) -> nn.Module:
    return nn.Sequential(nn.Conv3d(3, 4, 3), nn.BatchNorm3d(4), nn.Flatten(), nn.Linear(4, classes))


def small_card() -> ModelCard:
    """A model nobody has weights for."""
    return ModelCard(
        name="small",
        title="Small-3D",
        family="3D convolution",
        year=2026,
        paper="none",
        paper_url="https://example.org",
        idea="A network for tests.",
        size="tiny",
        input=ModelInput(3, 25, (3, 3), (3, 3), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        label_set="Three",
        classes=CLASSES,
        build=small_network,
        parameters=3 * 4 * 27 + 4 + 8 + 4 * 3 + 3,
    )


def packaged(card: ModelCard, **facts) -> ModelCard:
    """The model with a package; facts of its archive and file."""
    names = key_map((r"^/params/", ""), ("/", "."))
    source = PackageSource(
        package="small-weights",
        version="1.0",
        archive=ARCHIVE,
        file=FILE,
        licence="MIT",
        key_map=names,
        **facts,
    )
    return replace(card, package=source)


def pickled(network: nn.Module) -> bytes:
    """The network's parameters as nested dicts of arrays."""
    params: dict = {}
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            layer, kind = name.split(".")
            params.setdefault(layer, {})[kind] = tensor.numpy()
    return pickle.dumps({"params": params}, protocol=4)


def archive(content: bytes, code: str = "raise SystemExit('its code ran')") -> bytes:
    """A source package that holds a file of weights, and code that nobody may run."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, data in (
            ("small_weights-1.0/setup.py", code.encode()),
            (FILE, content),
            ("small_weights-1.0/small_weights/__init__.py", code.encode()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def facts(content: bytes, packed: bytes) -> dict:
    """What a card says of an archive and the file inside."""
    return {
        "sha256": hashlib.sha256(packed).hexdigest(),
        "bytes": len(packed),
        "file_sha256": hashlib.sha256(content).hexdigest(),
        "file_bytes": len(content),
    }
