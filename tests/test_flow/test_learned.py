"""Networks of flow answer through the same door as the classical methods, or say what they lack."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.models import optical_flow

from har_demo.errors import ChoiceError, ClipError, UserError, WeightsError
from har_demo.flow import learned, raft
from har_demo.flow.field import TITLES, flow
from har_demo.flow.flownet import flownet_lab
from har_demo.profiling.cost import gmacs, parameters
from har_demo.weights import hub
from tests.test_flow.conftest import texture


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """No weights but those a test makes, and no network."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(learned, "_kept", {})
    hub.forget_failures()
    (tmp_path / "checkpoints" / "flow").mkdir(parents=True)


@pytest.fixture(scope="module")
def random_raft():
    torch.manual_seed(0)
    return optical_flow.raft_small(weights=None).eval()


@pytest.fixture(scope="module")
def raft_file(random_raft, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(random_raft.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def flownet_file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(flownet_lab().state_dict(), path)
    return path


def clip(length, height, width):
    """Different textures: what random networks answer depends on every pixel."""
    return np.stack([texture(max(height, width), seed)[:height, :width] for seed in range(length)])


def as_torchvision(frames):
    x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    return x[:-1] * 2 - 1, x[1:] * 2 - 1


def test_raft_is_torchvisions():
    for build, count, cost in (
        (raft.raft_small, 990_162, 32.728),
        (raft.raft_large, 5_257_536, None),
    ):
        network = build()
        assert parameters(network) == count
        if cost:
            assert gmacs(network, *[(1, 3, 368, 496)] * 2) == pytest.approx(cost, rel=0.001)


def test_raft_through_our_door_is_raft_called_directly(random_raft, raft_file):
    frames = clip(2, 128, 136)
    with torch.inference_mode():
        expected = random_raft(*as_torchvision(frames))[-1]
    found = flow(frames, "raft-small", weights=raft_file, device="cpu")
    assert np.abs(found.pixels).max() > 0.1
    np.testing.assert_allclose(found.pixels, expected, atol=1e-4)
    assert found.method == "raft-small" and found.frames.tolist() == [[0, 1]]
    assert found.provenance.source == "user" and found.provenance.file == "mine.safetensors"
    assert found.provenance.sha256 == hashlib.sha256(raft_file.read_bytes()).hexdigest()


def test_other_sizes_repeat_their_rim(random_raft, raft_file):
    frames = clip(2, 131, 75)
    before, after = (F.pad(x, (26, 27, 2, 3), mode="replicate") for x in as_torchvision(frames))
    with torch.inference_mode():
        expected = random_raft(before, after)[-1][..., 2:133, 26:101]
    found = flow(frames, "raft-small", weights=raft_file, device="cpu").pixels
    assert found.shape == (1, 2, 131, 75)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_batches_change_nothing_and_progress_counts_fields(flownet_file, monkeypatch):
    frames, heard = clip(6, 40, 50), []
    monkeypatch.setitem(learned.AT_ONCE, "cpu", 2 * 40 * 50)
    some = flow(frames, "flownet-lab", heard.append, flownet_file, "cpu")
    assert heard == [0.4, 0.8, 1.0]
    monkeypatch.setitem(learned.AT_ONCE, "cpu", 1)
    one = flow(frames, "flownet-lab", weights=flownet_file, device="cpu")
    assert some.pixels.shape == (5, 2, 40, 50) and some.pixels.dtype == np.float32
    np.testing.assert_allclose(some.pixels, one.pixels, atol=1e-4)
    assert some.frames.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]


def test_pairs_are_neighbours_in_order(flownet_file):
    frames = clip(3, 64, 64)
    whole = flow(frames, "flownet-lab", weights=flownet_file, device="cpu").pixels
    second = flow(frames[1:], "flownet-lab", weights=flownet_file, device="cpu").pixels
    np.testing.assert_allclose(whole[1:], second, atol=1e-4)
    assert np.abs(whole[0] - whole[1]).max() > 1e-3


def test_a_network_is_loaded_once_and_again_when_its_file_changes(tmp_path):
    path = tmp_path / "mine.safetensors"
    for seed in (0, 1):
        torch.manual_seed(seed)
        save_file(flownet_lab().state_dict(), path)
        first, provenance = learned.network("flownet-lab", path)
        assert learned.network("flownet-lab", path)[0] is first and not first.training
        save_file({"a": torch.zeros(1)}, path)  # another size, whatever the clock says
        with pytest.raises(WeightsError, match="does not fit FlowNetS, lab size"):
            learned.network("flownet-lab", path)
    assert provenance.source == "user"


def ship(name, tensors, **changes):
    """Put weights where the trained ones will lie."""
    path = learned.shipped_file(learned.LEARNED[name])
    save_file({key: value.half() for key, value in tensors.items()}, path)
    said = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | changes
    path.with_suffix(".json").write_text(json.dumps(said))
    return path


def test_shipped_weights_are_found_and_checked(random_raft):
    assert "raft_small_people.safetensors" in learned.at_hand("raft-people")
    path = ship("raft-people", random_raft.state_dict())
    assert learned.at_hand("raft-people") == ""
    network, provenance = learned.network("raft-people")
    assert provenance.source == "shipped" and provenance.file == path.name
    weights = network.state_dict()
    for key, value in random_raft.state_dict().items():
        torch.testing.assert_close(weights[key], value.half().float(), atol=0, rtol=0)


@pytest.mark.parametrize("said", [{"sha256": "0" * 64}, {"sha256": None}], ids=["other", "none"])
def test_shipped_weights_that_are_not_those_described_are_refused(said, random_raft):
    ship("raft-people", random_raft.state_dict(), **said)
    with pytest.raises(WeightsError, match=r"raft_small_people\.json.*fetch checkpoints/ again"):
        learned.network("raft-people")


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("raft-people", "raft_small_people.safetensors, 2.0 MB"),
        ("flownet-lab", "flownet_lab_people.safetensors, 2.3 MB"),
        ("raft-small", "4.0 MB.*raft_small_C_T_V2-01064c6d.pth"),
        ("raft-large", "21 MB.*raft_large_C_T_SKHT_V2-ff5fadd5.pth"),
        ("flownet-s", "155 MB.*flownets_EPE1.951.pth.tar"),
        ("flownet-c", "157 MB.*flownetc_EPE1.766.pth.tar"),
    ],
)
def test_without_weights_a_sentence_and_no_flow(method, words):
    with pytest.raises(WeightsError, match=words) as refused:
        flow(clip(2, 64, 64), method)
    assert "\n" not in str(refused.value)
    assert learned.at_hand(method)


def test_the_sizes_that_sentences_name_are_those_of_the_networks():
    for one in learned.LEARNED.values():
        with torch.device("meta"):
            count = parameters(one.build())
        assert one.bytes == pytest.approx(count * (2 if one.shipped else 4), rel=0.02)


@pytest.mark.parametrize(
    ("frames", "method", "own", "error", "words"),
    [
        (clip(1, 40, 40), "raft-people", None, ClipError, "at least two"),
        (clip(2, 40, 20), "raft-people", None, ClipError, "20 × 40 pixels are too small"),
        (np.zeros((2, 1100, 1000, 3), np.uint8), "raft-small", None, ClipError, "too large"),
        (clip(2, 40, 40), "raft", None, ChoiceError, "tv-l1, raft-people, flownet-lab"),
        (clip(2, 40, 40), "dis", "mine.pth", ChoiceError, "DIS has no weights"),
        (clip(2, 40, 40), "raft-small", "gone.pth", WeightsError, "no file 'gone.pth'"),
        (clip(2, 40, 40), "raft-small", "a\0.pth", WeightsError, "There is no file"),
        (clip(2, 40, 40), "raft-small", "mine.onnx", WeightsError, "no file of weights"),
    ],
    ids=["one frame", "small", "large", "no method", "classical", "gone", "nul", "other kind"],
)
def test_what_cannot_be_done_is_said_in_a_sentence(frames, method, own, error, words):
    with pytest.raises(error, match=words) as refused:
        flow(frames, method, weights=own)
    assert "\n" not in str(refused.value)


def test_weights_of_another_network_are_refused_by_name(raft_file):
    with pytest.raises(UserError, match=r"'mine\.safetensors' does not fit RAFT:"):
        flow(clip(2, 64, 64), "raft-large", weights=raft_file)


def test_every_method_has_a_title():
    assert list(TITLES)[:3] == ["dis", "farneback", "tv-l1"]
    assert set(TITLES) == {"dis", "farneback", "tv-l1", *learned.LEARNED}
    assert len(set(TITLES.values())) == len(TITLES)


@pytest.mark.parametrize("build", [raft.raft_small, raft.raft_large])
def test_every_guess_is_torchvisions(build):
    torch.manual_seed(0)
    network = build().eval()
    before, after = torch.rand(2, 2, 3, 128, 136)
    with torch.inference_mode():
        expected = network(before * 2 - 1, after * 2 - 1, num_flow_updates=3)
        found = raft.guesses(network, before, after, updates=3)
    assert len(found) == 3 and found[-1].abs().max() > 0.1
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_pictures_are_enlarged_for_a_network_and_its_flow_made_small_again():
    """A network that always says (3, 6) sees pictures 1.5 times as large: (2, 4) of the given pixels."""
    seen = []

    def says(module, before, after):
        seen.append(before.shape)
        return torch.tensor([3.0, 6.0]).view(1, 2, 1, 1).expand(len(before), 2, *before.shape[2:])

    one = learned.FlowNetwork("any", nn.Identity, says, 8, 32, 0, enlarge=1.5)
    pictures = torch.rand(2, 3, 40, 64)
    found = learned.between(one, nn.Identity(), pictures, pictures)
    assert seen == [(2, 3, 64, 96)]  # 60 rows and a rim of two on either side
    assert found.shape == (2, 2, 40, 64)
    torch.testing.assert_close(found[:, 0], torch.full((2, 40, 64), 2.0))
    torch.testing.assert_close(found[:, 1], torch.full((2, 40, 64), 4.0))
