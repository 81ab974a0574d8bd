"""Flow along a span of a clip: what is found, what is said of it, what can be taken away."""

import json
import zipfile

import numpy as np
import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.clips.ingest import ingest
from har_demo.errors import ChoiceError, ClipError, WeightsError
from har_demo.flow import look as looking
from har_demo.flow import save
from har_demo.flow.files import read_flo
from har_demo.flow.look import flow_json, forget, look, notes, spread
from tests.media import write
from tests.test_flow.conftest import moved, texture

SIDE = 96
STEP = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]])


def ingested(folder, name, frames):
    return ingest(write(folder / f"{name}.mp4", frames, crf="12"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def moving(folder):
    """A texture that moves 3 right and 1 down at every frame, as under a camera that turns."""
    frames = [texture(SIDE)]
    for _ in range(11):
        frames.append(moved(frames[-1], STEP))
    return ingested(folder, "moving", frames)


@pytest.fixture(scope="module")
def still(folder):
    return ingested(folder, "still", [texture(SIDE)] * 8)


@pytest.fixture(scope="module")
def cut(folder):
    return ingested(folder, "cut", [texture(SIDE)] * 4 + [texture(SIDE, 7)] * 4)


@pytest.fixture(scope="module")
def both(moving):
    return look(moving, ["dis", "farneback"])


def test_two_methods_find_what_moves(both):
    assert both.pairs.tolist() == [[n, n + 1] for n in range(11)] and both.wanted == 11
    assert both.size == (SIDE, SIDE)
    assert both.seconds()[:2].tolist() == [0, 0.04]
    for way, one in enumerate(both.ways):
        np.testing.assert_allclose(one.means, np.hypot(3, 1), atol=0.4)
        np.testing.assert_allclose(np.median(both.field(way, 4), axis=(1, 2)), (3, 1), atol=0.15)
        assert (one.left < 0.4 * one.changes).all()
        assert one.milliseconds > 0 and one.provenance is None
    assert notes(both) == []
    assert 3 < both.scale() < 5


def test_the_cameras_motion_can_be_taken_off(both):
    assert (both.ways[0].own_means < 0.6).all()
    assert np.abs(np.median(both.field(0, 4, without_camera=True), axis=(1, 2))).max() < 0.15
    assert both.scale(without_camera=True) < both.scale()


def test_nothing_moves_in_a_still_clip_and_it_says_so(still):
    found = look(still, ["dis"])
    assert found.ways[0].tops.max() < looking.STILL and found.scale() == 1.0
    (said,) = notes(found)
    assert said.startswith("Nothing moves in this span")


def test_what_is_beyond_a_methods_range_is_said(cut):
    found = look(cut, ["dis"])
    (said,) = notes(found)
    assert said.startswith("At 0.12 s DIS leaves two thirds") and "clip is cut" in said


def test_a_motion_that_is_too_large_is_said(folder):
    wide = texture(400)[:SIDE]
    frames = [wide[:, n * 50 : n * 50 + SIDE] for n in range(6)]
    (said,) = notes(look(ingested(folder, "huge", frames), ["dis"]))
    assert said.startswith("At 0.00 s, 0.04 s, 0.08 s and 2 more moments") and "its range" in said


def test_a_span_is_part_of_the_clip(moving):
    assert spread(moving, 0.2, 0.12, 32).tolist() == [[5, 6], [6, 7], [7, 8]]
    assert spread(moving, 0.0, 9.0, 3).tolist() == [[0, 1], [5, 6], [10, 11]]
    assert spread(moving, 0.47, 1.0, 32).tolist() == [[10, 11]]


def test_large_pictures_are_made_small():
    assert looking.small(np.zeros((2, 340, 604, 3), np.uint8)).shape == (2, 180, 320, 3)
    assert looking.small(np.zeros((1, 50, 60, 3), np.uint8)).shape == (1, 50, 60, 3)


def test_little_time_means_fewer_pairs_and_it_is_said(moving):
    found = look(moving, ["dis"], budget=0)
    assert len(found.pairs) == 3 and found.wanted == 11
    assert notes(found) == [
        "Only 3 pairs were looked at instead of 11, as more would have taken over 20 seconds."
    ]


def test_progress_is_told_and_can_end_the_work(moving, cache):
    heard = []
    look(moving, ["dis"], seconds=0.2, on_progress=lambda done, what: heard.append((done, what)))
    assert heard[0] == (0, "The first pair, which tells how long the others take")
    assert heard[1] == (0, "DIS: pair 1 of 5") and heard[-1] == (0.8, "DIS: pair 5 of 5")

    def stop(done, what):
        raise InterruptedError

    before = set((cache / "flow").iterdir())
    with pytest.raises(InterruptedError):
        look(moving, ["dis"], on_progress=stop)
    assert set((cache / "flow").iterdir()) == before


def test_only_the_last_looks_are_kept(moving, monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path))
    monkeypatch.setattr(looking, "KEPT", 2)
    some = [look(moving, ["dis"], seconds=0.1) for _ in range(3)]
    some[2].field(0, 0)
    with pytest.raises(ClipError, match="no longer kept"):
        some[0].field(0, 0)
    forget(some[2])
    with pytest.raises(ClipError, match="no longer kept"):
        some[2].field(0, 0)


@pytest.mark.parametrize(
    ("methods", "span", "error", "words"),
    [
        ([], {}, ChoiceError, "one method"),
        (["dis", "dis"], {}, ChoiceError, "two different"),
        (["horn"], {}, ChoiceError, "called 'horn'"),
        (["dis"], {"seconds": 0}, ChoiceError, "up to 10 seconds"),
        (["dis"], {"seconds": float("nan")}, ChoiceError, "up to 10 seconds"),
        (["dis"], {"start": 5}, ChoiceError, "cannot begin at 5 s"),
        (["dis"], {"start": -1}, ChoiceError, "cannot begin at -1 s"),
        (["flownet-s"], {}, WeightsError, "Weights of FlowNetS"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(moving, methods, span, error, words):
    with pytest.raises(error, match=words) as refused:
        look(moving, methods, **span)
    assert "\n" not in str(refused.value)


def test_one_picture_has_no_flow(folder):
    with pytest.raises(ClipError, match="single picture"):
        look(ingested(folder, "one", [texture(SIDE)]), ["dis"])


def test_everything_can_be_taken_away(both, tmp_path):
    save.write_zip(both, tmp_path / "flow.zip")
    with zipfile.ZipFile(tmp_path / "flow.zip") as archive:
        names = archive.namelist()
        archive.extract("dis_000004.flo", tmp_path)
        rows = archive.read("motion.csv").decode().splitlines()
    assert len(names) == 1 + 2 * 11 and len(rows) == 1 + 2 * 11
    np.testing.assert_array_equal(read_flo(tmp_path / "dis_000004.flo"), both.field(0, 4))
    assert rows[0].split(",") == list(save.COLUMNS) and rows[5].startswith("4,0.1600,dis,3.")

    heard = []
    save.write_film(both, tmp_path / "flow.mp4", on_progress=heard.append)
    film = ingest(tmp_path / "flow.mp4")
    assert (film.source.codec, film.frames, film.source.width) == ("h264", 11, 3 * SIDE)
    assert film.fps == pytest.approx(25) and heard[-1] == 1
    json.dumps(flow_json(both))
    assert flow_json(both)["methods"][1]["mean_px"][4] == pytest.approx(3.16, abs=0.4)


def run(*arguments):
    result = CliRunner().invoke(cli.app, ["flow", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command_writes_a_folder(folder, moving, tmp_path):
    out = tmp_path / "new" / "flow"
    file = folder / "moving.mp4"
    code, said, _ = run(file, "--method", "dis,farneback", "--seconds", 0.12, "--out", out)
    assert code == 0 and "6 .flo files, motion.csv, flow.mp4" in said and "Farneback: " in said
    names = sorted(path.name for path in out.iterdir())
    assert names[0] == "dis_000000.flo" and {"flow.mp4", "motion.csv"} < set(names)
    code, said, _ = run(file, "--seconds", 0.12, "--json", "--no-camera")
    assert code == 0 and json.loads(said)["methods"][0]["method"] == "raft-people"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--evaluate"], "leave out the clip"),
        (["--method", "horn"], "No optical flow is called 'horn'"),
        (["--method", ""], "one method"),
        (["--out", __file__], "give a folder"),
        (["--out", "/dev/null/flow"], "cannot be written"),
    ],
)
def test_the_command_refuses_in_one_sentence(folder, moving, arguments, words):
    code, _, problem = run(folder / "moving.mp4", "--seconds", 0.1, *arguments)
    assert code == 2 and words in problem and problem.count("\n") == 1
