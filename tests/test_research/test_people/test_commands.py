"""Commands that render people: what they write, and one sentence for every mistake."""

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from har_demo.research.cli import app


def run(*arguments) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, in this process."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_render_writes_a_clip_and_what_is_known_of_it(tmp_path):
    film, known = tmp_path / "clip.mp4", tmp_path / "known.npz"
    wanted = ("--action", "wave_both_hands", "--seed", 7, "--seconds", 0.2, "--size", "32x24")
    code, out, _ = run("render", *wanted, "--out", film, "--truth", known)
    assert code == 0
    assert "5 frames of 32 × 24" in out
    with av.open(str(film)) as container:
        assert len(list(container.decode(video=0))) == 5
    with np.load(known) as arrays:
        shapes = {name: arrays[name].shape for name in arrays}
        assert arrays["joint_names"][0] == "head"
        assert arrays["fps"] == 25
    assert shapes == {
        "flow": (4, 24, 32, 2),
        "visible": (4, 24, 32),
        "depth": (5, 24, 32),
        "person": (5, 24, 32),
        "joints": (5, 20, 3),
        "joint_names": (20,),
        "fps": (),
    }


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (("--action", "moonwalk"), "moonwalk"),
        (("--size", "32"), "width x height"),
        (("--size", "31x24"), "even"),
        (("--seconds", 0), "seconds"),
        (("--fps", 1000), "fps"),
        (("--seed", -1), "seed"),
        (("--truth", "/no/such/folder/known.npz"), "cannot be written"),
    ],
)
def test_render_refuses_in_one_sentence(tmp_path, wrong, word):
    film = tmp_path / "clip.mp4"
    code, _, problem = run("render", "--action", "walk", "--out", film, *wrong)
    assert code == 2
    assert word in problem and problem.count("\n") == 1 and problem.endswith(".\n")
    assert not film.exists()


def test_dataset_fills_a_new_folder(tmp_path):
    folder = tmp_path / "set"
    code, out, _ = run("dataset", "--clips", 2, "--out", folder)
    assert code == 0 and "2 clips" in out
    with np.load(folder / "train-000.npz") as shard:
        assert shard["frames"].shape == (2, 16, 112, 112, 3)
    assert len((folder / "index.csv").read_text().splitlines()) == 3
    code, _, problem = run("dataset", "--clips", 2, "--out", folder)
    assert code == 2 and "exists already" in problem
    code, _, problem = run("dataset", "--out", tmp_path / "new", "--device", "tpu")
    assert code == 2 and "no device 'tpu'" in problem


@pytest.mark.nightly
def test_sheet_writes_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr("har_demo.research.people.sheet.SIDE", 16)
    picture = tmp_path / "sheet.png"
    assert run("sheet", "--out", picture)[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
