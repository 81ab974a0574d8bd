"""The main job from end to end, in under two minutes: what `make test-pythons` runs under every Python.

`make test` leaves it out: other tests hold each of these facts. tests/test_wheel.py is the rest of the set.
"""

import io
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client import Client, handle_file
from typer.testing import CliRunner

from har_demo import cli, prompts
from har_demo.assets import EXAMPLES as FOLDER
from har_demo.clips.ingest import ingest
from har_demo.models.registry import cards
from har_demo.recognize.prediction import Prediction, Request
from har_demo.recognize.recognize import recognize
from tests.media import numbered_frames, write

pytestmark = [pytest.mark.smoke, pytest.mark.nightly]

ROOT = Path(__file__).resolve().parent.parent
REAL = ROOT.parent / "shared" / "data" / "clips" / "biking.avi"
EXAMPLE, ACTION = FOLDER / "waving_both_hands.mp4", "waving both hands"
MODELS = ("mfnet_pnl_lab", "slowfast_lab")


def command(*arguments) -> str:
    """Standard output of a command, which must succeed."""
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.stderr or repr(result.exception)
    return result.stdout


def answers(file: Path) -> list[Prediction]:
    """What the Python function says of a file."""
    return list(recognize(ingest(file), [Request(name) for name in MODELS]))


def test_the_models_are_listed_and_shipped_weights_are_whole():
    listed = {row["name"]: row for row in json.loads(command("models", "--json"))}
    assert list(listed) == list(cards())
    assert [listed[name]["weights"]["state"] for name in MODELS] == ["shipped"] * len(MODELS)
    command("weights", "--check")


def test_two_models_name_the_action_of_an_example():
    for answer in answers(EXAMPLE):
        assert answer.top(1)[0][0] == ACTION
        np.testing.assert_allclose(answer.scores.sum(axis=1), 1, atol=1e-4)


def test_the_installed_program_runs_from_another_folder():
    """`make test-pythons` installs the wheel; where it was not, tests/test_wheel.py alone does."""
    program = Path(sys.executable).with_name("har-demo")
    if not program.exists():
        pytest.skip("the project is not installed here")
    words = [program, "recognize", EXAMPLE, "--models", MODELS[0], "--json"]
    done = subprocess.run(words, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (prediction,) = json.loads(done.stdout)["predictions"]
    assert prediction["top"][0]["class"] == ACTION


def test_the_command_line_says_what_the_function_says(tmp_path):
    """Of a file in another container and codec: a real clip, where there is one."""
    file = REAL
    if not REAL.exists():
        file = write(tmp_path / "numbered.avi", numbered_frames(50), codec="mpeg4")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "har_demo",
            "recognize",
            file,
            "--models",
            ",".join(MODELS),
            "--json",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["clip"]["source"]["name"] == file.name and not told["refusals"]
    for said, answer in zip(told["predictions"], answers(file), strict=True):
        assert said["model"] == answer.model
        assert np.isfinite(answer.scores).all()
        for window, shares in zip(said["windows"], answer.windows, strict=True):
            assert window["probabilities"] == pytest.approx(shares, abs=1e-3)
            assert sum(window["probabilities"]) == pytest.approx(1, abs=1e-3)


def test_a_clip_is_asked_in_words():
    asked = ["a person waving both hands", "a person jumping", "a person running"]
    found = json.loads(command("ask", EXAMPLE, *asked, "--json"))
    said = {one["text"]: one["probability"] for one in found["prompts"]}
    assert max(said, key=said.get) == asked[0]
    assert sum(said.values()) == pytest.approx(1, abs=1e-4)
    function = prompts.ask(ingest(EXAMPLE), asked)
    assert list(said.values()) == pytest.approx(function.probabilities, abs=1e-3)


def test_flow_follows_what_moves(tmp_path):
    """A picture that moves 4 pixels to the right at every frame."""
    scene = numbered_frames(1)[0][36:]  # without its row of binary digits
    noise = cv2.GaussianBlur(
        np.random.default_rng(0).standard_normal(scene.shape).astype(np.float32), (0, 0), 3
    )
    scene = np.clip(scene + 400 * noise, 0, 255).astype(np.uint8)
    clip = write(tmp_path / "panned.mp4", (np.roll(scene, 4 * n, axis=1) for n in range(6)))
    methods = ("raft-people", "dis")
    found = json.loads(command("flow", clip, "--method", ",".join(methods), "--json"))
    for method, said in zip(methods, found["methods"], strict=True):
        assert said["method"] == method
        assert said["mean_px"] and said["mean_px"] == pytest.approx(
            [4] * len(said["mean_px"]), abs=0.6
        )


def test_a_model_explains_its_answer(tmp_path):
    picture, array = tmp_path / "map.png", tmp_path / "map.npz"
    asked = ("explain", EXAMPLE, "--model", MODELS[0], "--out", picture, "--array", array)
    told = json.loads(command(*asked, "--json"))
    assert told["class"] == ACTION
    values = np.load(io.BytesIO(array.read_bytes()))["values"]
    assert values == pytest.approx(np.array(told["values"]), abs=1e-5)
    assert values.ndim == 3 and values.max() > 0
    assert cv2.imread(str(picture)).std() > 10  # something is drawn


def test_the_page_is_served_and_a_program_gets_the_same_answer(server):
    with urllib.request.urlopen(server, timeout=30) as response:
        assert response.status == 200
        assert "Action Atlas" in response.read().decode()
    told = Client(server, verbose=False).predict(
        clip=handle_file(str(EXAMPLE)), models=list(MODELS), api_name="/recognize"
    )
    for said, answer in zip(told["predictions"], answers(EXAMPLE), strict=True):
        assert said["model"] == answer.model
        assert said["top"][0]["class"] == ACTION
        assert said["top"][0]["probability"] == pytest.approx(answer.top(1)[0][1], abs=1e-3)
