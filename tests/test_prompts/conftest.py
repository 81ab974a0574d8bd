import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import ingest
from har_demo.models.i3d import I3D
from har_demo.prompts import answer, catalogue, kinetics, online
from har_demo.recognize import networks
from har_demo.weights import Provenance
from tests.media import acted, write

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}
PREPROCESSING = {
    "size": 32,
    "mean": [0.48, 0.46, 0.41],
    "std": [0.27, 0.26, 0.28],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> str:
    """The name of a model in open_clip's format that nobody trained: it answers, and means nothing."""
    import open_clip

    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    torch.manual_seed(0)
    model = open_clip.CLIP(**TINY)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    config = {"model_cfg": TINY, "preprocess_cfg": PREPROCESSING}
    (folder / online.CONFIG).write_text(json.dumps(config))
    return f"{online.LOCAL}{folder}"


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Clip:
    """Two seconds of a rendered person who waves."""
    return waving(tmp_path_factory.mktemp("clips"))


def waving(folder: Path) -> Clip:
    return ingest(write(folder / "waving.mp4", acted("wave_both_hands")))


@pytest.fixture(scope="session", autouse=True)
def little_kept():
    yield
    catalogue.forget()
    answer.forget()


@pytest.fixture
def small_i3d(monkeypatch, bare_networks) -> I3D:
    """I3D at an eighth of its width, which nobody trained, in the place of Kinetics' weights."""
    torch.manual_seed(0)
    return in_place_of_i3d(monkeypatch, I3D(400, width=1 / 8).eval())


@pytest.fixture
def bare_networks():
    """No network and no vector is kept from another test, nor for the next one."""
    networks.forget()
    answer.forget()
    yield
    networks.forget()
    answer.forget()


def in_place_of_i3d(monkeypatch, network: nn.Module) -> nn.Module:
    """Answer with another network where I3D is asked, as if its weights had been fetched."""
    provenance = Provenance("cached", "small.safetensors", "ef" * 32)
    monkeypatch.setattr(kinetics, "here", lambda: True)
    monkeypatch.setattr(networks.weights, "load", lambda *given: (network, provenance))
    return network
