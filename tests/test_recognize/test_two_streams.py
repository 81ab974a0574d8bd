"""Both streams answer apart from small shipped weights, and are fused with any weight."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from har_demo import cli
from har_demo.errors import ChoiceError, WeightsError
from har_demo.models import registry
from har_demo.recognize import networks
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize
from har_demo.recognize.two_streams import STREAMS, ask, ready, state, streams_json, trained_with
from tests.test_recognize.conftest import make_clip


def ship(folder, *names):
    """Fresh parameters where trained ones lie: that they answer is what is tested."""
    listed = []
    for seed, name in enumerate(names):
        card = registry.card(name)
        torch.manual_seed(seed)
        network = card.build(len(card.classes))
        path = folder / f"{name}.safetensors"
        save_file(network.state_dict(), path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        listed.append({"model": name, "file": path.name, "sha256": sha256})
        listed[-1]["classes"] = list(card.classes)
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": listed}))


@pytest.fixture(scope="module", autouse=True)
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    ship(folder, "spatial_stream_lab", "temporal_stream_lab")
    networks.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAR_CHECKPOINTS", str(folder))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield folder
    networks.forget()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two seconds, one look of each stream."""
    return make_clip(tmp_path_factory.mktemp("clips") / "short.mp4", 52)


@pytest.fixture(scope="module")
def both(clip):
    return ask(clip, "lab", "farneback")


def test_streams_say_what_recognition_says_and_fuse_between(clip, both):
    names = (STREAMS["lab"].spatial, STREAMS["lab"].temporal)
    spatial, temporal = (answer.overall for answer in recognize(clip, [*map(Request, names)]))
    np.testing.assert_allclose(both.fused(0), spatial, atol=1e-6)
    np.testing.assert_allclose(both.fused(1), temporal, atol=1e-6)
    np.testing.assert_allclose(both.fused(0.25), 0.75 * spatial + 0.25 * temporal, atol=1e-6)
    assert np.abs(spatial - temporal).max() > 1e-3
    assert both.spatial.flow == "" and both.temporal.flow == "DIS" and both.temporal.note == ""


def test_another_flow_changes_the_score_and_is_said(both):
    assert both.other.flow == "Farneback"
    assert "meant for the optical flow of DIS and was given that of Farneback" in both.other.note
    assert np.abs(both.other.overall - both.temporal.overall).max() > 1e-5
    np.testing.assert_allclose(both.fused(1, other=True), both.other.overall)


def test_the_flow_it_knows_is_asked_once(clip):
    one = ask(clip, "lab", "dis")
    assert one.other is None
    np.testing.assert_allclose(one.fused(1, other=True), one.temporal.overall)


def test_everything_is_streams_json(both):
    said = streams_json(both, 0.5)
    json.dumps(said)
    assert said["flow"] == {"temporal": "DIS", "temporal_with_other_flow": "Farneback"}
    assert len(said["top"]) == 10 and len(said["notes"]) == 1
    shares = [row["fused"] for row in said["top"]]
    assert shares == sorted(shares, reverse=True)
    first = said["top"][0]
    assert first["fused"] == pytest.approx((first["spatial"] + first["temporal"]) / 2, abs=1e-6)


def test_only_streams_with_weights_are_ready():
    assert ready() == ["lab"]
    assert state(STREAMS["lab"]).state == "shipped" and state(STREAMS["i3d-lab"]).state == "missing"
    assert [trained_with(streams) for streams in STREAMS.values()] == ["dis", "dis", "tv-l1"]


@pytest.mark.parametrize("names", STREAMS.values(), ids=STREAMS)
def test_both_streams_of_a_pair_know_the_same_actions(names):
    spatial, temporal = registry.card(names.spatial), registry.card(names.temporal)
    assert spatial.classes == temporal.classes
    assert spatial.input.modality in ("rgb", "difference")
    assert temporal.input.modality == "flow"


@pytest.mark.parametrize(
    ("name", "flow", "error", "words"),
    [
        ("late", None, ChoiceError, "choose lab, i3d-lab, i3d"),
        ("lab", "horn", ChoiceError, "No optical flow is called 'horn'"),
        ("i3d-lab", None, WeightsError, "eights of"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(clip, name, flow, error, words):
    with pytest.raises(error, match=words) as refused:
        ask(clip, name, flow)
    assert "\n" not in str(refused.value)


def test_a_weight_is_a_share(both):
    for weight in (-0.1, 1.1, float("nan")):
        with pytest.raises(ChoiceError, match="from 0 to 1"):
            both.fused(weight)


def test_a_model_of_frames_takes_no_flow(clip):
    with pytest.raises(ChoiceError, match="looks at frames"):
        recognize(clip, [Request("spatial_stream_lab", flow="dis")])


def test_the_command(clip):
    asked = ["two-stream", str(clip.path), "--flow", "farneback", "--weight", "0.3"]
    done = CliRunner().invoke(cli.app, asked)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["action", "fused", "spatial", "temporal"]
    assert len(lines) == 7 and "Farneback" in lines[-1]
    wrong = CliRunner().invoke(cli.app, [*asked, "--weight", "2"])
    assert wrong.exit_code == 2 and "from 0 to 1" in wrong.stderr
