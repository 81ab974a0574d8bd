import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from har_demo import cli
from har_demo.errors import BROKEN
from har_demo.models import registry
from har_demo.recognize.defaults import default_models
from tests import plant
from tests.media import numbered_frames, write

ROOT = Path(__file__).resolve().parent.parent
MODEL = "c3d_lab"


def run(*arguments) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, in this process."""
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def python(*arguments) -> subprocess.CompletedProcess:
    """The same as a person does it."""
    return subprocess.run(
        [sys.executable, "-m", "har_demo", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith((".\n", "?\n")) and "Traceback" not in text


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("clips") / "numbered.mp4", numbered_frames(60))


@pytest.fixture(scope="module")
def own_weights(tmp_path_factory) -> Path:
    """Parameters that nobody trained: what they answer means nothing, that they answer does."""
    torch.manual_seed(0)
    card = registry.card(MODEL)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(card.build(len(card.classes)).state_dict(), path)
    return path


@pytest.fixture
def asked(clip, own_weights) -> list:
    return ["recognize", clip, "--models", MODEL, "--weights", f"{MODEL}={own_weights}"]


def audio_only(folder: Path) -> Path:
    path = folder / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for _ in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate = 44100
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def named(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def cut(folder: Path) -> Path:
    whole = write(folder / "whole.mp4", numbered_frames(20)).read_bytes()
    return named(folder, "cut.mp4", whole[: len(whole) // 2])


BAD_CLIPS = {
    "empty": lambda folder: named(folder, "empty.mp4", b""),
    "text renamed": lambda folder: named(folder, "poem.mp4", b"Tyger Tyger, burning bright\n" * 50),
    "audio only": audio_only,
    "header cut off": cut,
    "missing": lambda folder: folder / "nowhere.mp4",
    "a folder": lambda folder: folder,
    "unicode and empty": lambda folder: named(folder, "видео 🎬 ünï.mp4", b""),
    "an endless name": lambda folder: folder / ("long" * 100 + ".mp4"),
    "like a path": lambda folder: folder / ".." / ".." / "etc" / "passwd.mp4",
    "a line break": lambda folder: named(folder, "two\nlines.mp4", b"nothing"),
    "like a format": lambda folder: named(folder, "%s{0}$HOME;ls.mp4", b"nothing"),
    "like a protocol": lambda folder: "http://127.0.0.1:9/clip.mp4",
}


@pytest.mark.parametrize("what", BAD_CLIPS)
def test_a_bad_clip_is_one_sentence_and_exit_code_2(tmp_path, what):
    code, out, error = run("recognize", BAD_CLIPS[what](tmp_path), "--models", MODEL)
    assert (code, out) == (2, "")
    assert one_sentence(error), error


BROKEN_READING = (
    "import har_demo.clips.transcode as t\n"
    "def transcode(*given):\n    raise TypeError('planted')\nt.transcode = transcode"
)
BROKEN_WEIGHTS = (
    "import torch\ndef load(*given, **named):\n    raise TypeError('planted')\ntorch.load = load"
)


def test_a_fault_in_reading_is_ours_with_its_traceback_and_exit_code_1(
    tmp_path, monkeypatch, caplog
):
    clip = write(tmp_path / "good.mp4", numbered_frames(12))
    planted = plant.in_process(tmp_path / "p", "har_demo.clips.ingest_child", BROKEN_READING)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    code, out, error = run("recognize", clip, "--models", MODEL)
    assert (code, out, error) == (1, "", f"{BROKEN}\n")
    assert "TypeError: planted" in caplog.text and "good.mp4" not in error


@pytest.mark.apart
def test_a_fault_in_reading_weights_is_ours(clip, tmp_path, monkeypatch, caplog):
    mine = tmp_path / "mine.pt"
    torch.save({"a": torch.zeros(2)}, mine)
    planted = plant.in_process(tmp_path / "p", "har_demo.weights.untrusted", BROKEN_WEIGHTS)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    given = ["--models", MODEL, "--weights", f"{MODEL}={mine}"]
    code, out, error = run("recognize", clip, *given)
    assert (code, out, error) == (1, "", f"{BROKEN}\n")
    assert "TypeError: planted" in caplog.text


def test_a_network_that_breaks_is_our_fault(asked, monkeypatch, caplog):
    def broken(*given):
        raise RuntimeError("planted")

    monkeypatch.setattr("har_demo.recognize.recognize.probabilities", broken)
    code, out, error = run(*asked)
    assert code == 1 and out.count("Something broke on our side") <= 1
    assert error == f"{BROKEN}\n" and "RuntimeError: planted" in caplog.text


@pytest.mark.nightly
def test_the_log_of_a_person_is_the_terminal(tmp_path):
    """As typed: the traceback first and the sentence last."""
    clip = write(tmp_path / "typed.mp4", numbered_frames(14))
    planted = plant.in_process(tmp_path / "p", "har_demo.clips.ingest_child", BROKEN_READING)
    done = subprocess.run(
        [sys.executable, "-m", "har_demo", "recognize", str(clip), "--models", MODEL],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(planted)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "TypeError: planted" in done.stderr and done.stderr.endswith(f"\n{BROKEN}\n")


@pytest.mark.nightly
def test_a_reader_that_hangs_up_is_no_fault():
    """`har_demo models | head -1`"""
    command = f"{sys.executable} -m har_demo models | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("name") and BROKEN not in done.stderr


def test_without_models_the_default_ones_answer(clip):
    code, out, _ = run("recognize", clip, "--json")
    answered = [one["model"] for one in json.loads(out)["predictions"]]
    assert code == 0 and answered == list(default_models())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--models", "c3d_lap"], "c3d_lab"),
        (["--models", "../../etc/passwd"], "passwd"),
        (["--models", "модель🎬"], "модель🎬"),
        (["--models", MODEL, "--windows", "0"], "windows"),
        (["--models", MODEL, "--stride", "-1"], "stride"),
        (["--models", MODEL, "--stride", "nan"], "stride"),
        (["--models", MODEL, "--crops", "2"], "Crops"),
        (["--models", MODEL, "--frames", "8"], "exactly 16"),
        (["--models", "r3d_18", "--frames", "0"], "frames per window"),
        (["--models", MODEL, "--weights", "mine.pth"], "model=FILE"),
        (["--models", MODEL, "--weights", "r3d_18=mine.pth"], "does not name"),
        (["--models", MODEL, "--weights", f"{MODEL}=/nowhere.pth"], "nowhere.pth"),
        (["--models", MODEL, "--csv", "/nowhere/at/all.csv"], "all.csv"),
        (["--models", MODEL, "--annotated", "/"], "cannot be written"),
        (["--models", MODEL, "--csv", "long" * 100], "cannot be written"),
    ],
    ids=lambda value: "-".join(value)[:60] if isinstance(value, list) else "",
)
def test_a_bad_choice_is_one_sentence_and_exit_code_2(clip, arguments, words):
    code, out, error = run("recognize", clip, *arguments)
    assert (code, out) == (2, "")
    assert one_sentence(error), error
    assert words in error


def test_json_is_alone_on_standard_output(clip, asked, own_weights):
    code, out, error = run(*asked, "--windows", "2", "--crops", "3", "--json")
    assert (code, error) == (0, "")
    answer = json.loads(out)
    (prediction,) = answer["predictions"]
    assert answer["clip"]["source"]["name"] == clip.name and answer["clip"]["frames"] == 60
    assert prediction["model"] == MODEL and len(prediction["windows"]) == 2
    assert len(prediction["sampling"]["crops"]) == 3
    assert prediction["provenance"]["source"] == "user"
    assert prediction["provenance"]["file"] == own_weights.name
    for window in prediction["windows"]:
        assert sum(window["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_people_get_the_five_likeliest_with_bars(asked):
    code, out, _ = run(*asked)
    assert code == 0
    ranked = [line for line in out.splitlines() if "█" in line]
    assert len(ranked) == 5 and "█" in ranked[0]
    percents = [float(line.split("%")[0]) for line in ranked]
    assert percents == sorted(percents, reverse=True)
    assert "C3D (tiny)" in out and "user weights" in out
    assert "Perhaps none of its 39 actions" in out  # its weights are drawn by chance


def test_the_table_and_the_annotated_clip_are_written(asked, tmp_path):
    sheet, film = tmp_path / "out.csv", tmp_path / "out.mp4"
    code, _, _ = run(*asked, "--csv", sheet, "--annotated", film)
    assert code == 0
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {MODEL} and rows[-1]["window"] == "overall"
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 60


def test_a_mistake_leaves_no_file_behind_and_none_changed(clip, tmp_path):
    new, old = tmp_path / "new.csv", named(tmp_path, "old.mp4", b"precious")
    code, _, _ = run("recognize", clip, "--models", "?", "--csv", new, "--annotated", old)
    assert code == 2
    assert not new.exists() and old.read_bytes() == b"precious"


def test_one_model_without_weights_does_not_spoil_the_other(asked, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, out, _ = run(*asked, "--models", f"r3d_18,{MODEL}", "--json")
    answer = json.loads(out)
    assert code == 0
    assert [p["model"] for p in answer["predictions"]] == [MODEL]
    (refusal,) = answer["refusals"]
    assert refusal["model"] == "r3d_18" and "134 MB" in refusal["message"]


def test_no_answer_at_all_is_exit_code_2(clip, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, out, error = run("recognize", clip, "--models", "r3d_18")
    assert (code, out) == (2, "")
    assert one_sentence(error) and "cannot be fetched" in error


def test_models_are_listed_for_people_and_programs():
    code, out, _ = run("models")
    assert code == 0
    assert len(out.splitlines()) == 1 + len(registry.cards())
    rows = json.loads(run("models", "--json")[1])
    assert [row["name"] for row in rows] == list(registry.cards())
    assert {row["weights"]["state"] for row in rows} <= {"shipped", "cached", "download", "missing"}
    s3d = next(row for row in rows if row["name"] == "s3d")
    assert s3d["parameters"] == 8_320_048 and len(s3d["classes"]) == 400


def test_weights_say_where_they_are(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, out, _ = run("weights")
    assert code == 0 and "r3d_18" in out
    code, out, error = run("weights", "--fetch", "r3d_18")
    assert (code, out) == (2, "") and one_sentence(error)
    code, out, error = run("weights", "--fetch", "i3d")
    assert (code, out) == (2, "") and one_sentence(error) and "47 MB" in error
    code, out, error = run("weights", "--fetch", "r3d_81")
    assert (code, out) == (2, "") and one_sentence(error) and "r3d_18" in error


def test_help_comes_without_anything_heavy():
    lines = "import sys; from har_demo import cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "har_demo.cli" in loaded
    assert not {"torch", "numpy", "av", "cv2", "gradio", "decord"} & set(loaded)


@pytest.mark.nightly
def test_as_a_program_it_gives_json(clip, own_weights):
    done = python(
        "recognize", clip, "--models", MODEL, "--weights", f"{MODEL}={own_weights}", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["predictions"][0]["model"] == MODEL


@pytest.mark.nightly
def test_as_a_program_it_refuses_in_one_sentence(tmp_path):
    done = python("recognize", named(tmp_path, "видео.mp4", b"no film"), "--models", MODEL)
    assert (done.returncode, done.stdout) == (2, "")
    assert one_sentence(done.stderr) and "видео.mp4" in done.stderr


@pytest.mark.nightly
def test_commands_of_research_run_in_a_process_of_their_own(tmp_path, capfd):
    """Their options, output and exit code are handed on."""
    film = tmp_path / "clip.mp4"
    options = ("--seconds", 0.1, "--size", "32x24", "--out", film)
    assert run("people", "render", "--action", "walk", *options)[0] == 0
    assert "of 32 × 24" in capfd.readouterr().out and film.is_file()
    assert run("people", "render", "--action", "moonwalk", *options)[0] == 2
    assert one_sentence(capfd.readouterr().err)


@pytest.mark.nightly
def test_other_commands_of_research_hand_on_help_and_errors(capfd):
    assert run("people", "sheet", "--help")[0] == 0
    assert "contact sheet" in capfd.readouterr().out
    assert run("flow", "--evaluate", "--pairs", 0, "--methods", "horn")[0] == 2
    assert "No optical flow is called 'horn'" in capfd.readouterr().err
