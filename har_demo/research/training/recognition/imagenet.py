"""A video network that begins from the filters of an image network trained on ImageNet.

The parameters come with a package, the one that the embedded image encoder is read from as well.
"""

from typing import Literal

import torch
from torch import Tensor

from har_demo.models.card import Source
from har_demo.models.efficientnet3d import InflatedLite0, fill
from har_demo.prompts import packaged

LITE0 = Source(
    url=f"https://pypi.org/project/{packaged.IMAGES.distribution}/0.1.0/",
    sha256=packaged.IMAGES.sha256,
    bytes=packaged.IMAGES.bytes,
    licence=packaged.IMAGES.licence,
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
    """Return EfficientNet-Lite0's parameters without the last layer, in the order of its layers.

    Raises:
        WeightsError: the package that has them is missing, or its file is another one.
    """
    state = torch.load(packaged.path(packaged.IMAGES), map_location="cpu", weights_only=True)
    return {name: value for name, value in state.items() if not name.startswith("_fc")}
