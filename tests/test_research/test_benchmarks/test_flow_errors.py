"""Errors and times of the methods: figures that can be checked by hand."""

import numpy as np
import pytest
from typer.testing import CliRunner

from har_demo.errors import ChoiceError, WeightsError
from har_demo.flow import scores
from har_demo.flow.files import KnownPair, write_flo
from har_demo.flow.scores import FlowScore, read
from har_demo.research import cli
from har_demo.research.benchmarks import flow_errors
from har_demo.research.benchmarks.flow_errors import measure, write
from tests.test_flow.conftest import motion_of, moved, texture

SHIFT = np.array([[1.0, 0.0, 4.0], [0.0, 1.0, -3.0]])


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """No weights, no network, and pictures that are timed quickly."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(flow_errors, "TIMED_SIZE", (64, 48))


def pair(name="shift", visible=None, person=None):
    """A texture that moves 5 pixels: 4 right, 3 up."""
    frames = np.stack([texture(), moved(texture(), SHIFT)])
    return KnownPair(name, frames, motion_of(SHIFT).astype(np.float32), visible, person)


def value(rows, method, data, metric):
    (found,) = [r for r in rows if (r.method, r.data, r.metric) == (method, data, metric)]
    return found.value


def test_errors_are_distances():
    inside = np.zeros((112, 112), bool)
    inside[20:-20, 20:-20] = True
    corner = np.zeros_like(inside)
    corner[40:50, 40:50] = True
    unknown = pair()
    unknown.flow[:, :10] = np.nan
    rows = measure(
        ["dis"],
        {"a": [pair("x", inside, corner), pair("y", inside, corner)], "b": [unknown]},
        "cpu",
    )
    for data in "ab":
        assert value(rows, "still", data, "epe") == pytest.approx(5, rel=1e-5)
        assert value(rows, "dis", data, "epe") < 2
    assert value(rows, "dis", "a", "epe_visible") < 0.2
    assert value(rows, "dis", "a", "epe_person") < 0.2
    assert value(rows, "still", "a", "epe_person") == pytest.approx(5, rel=1e-5)
    assert {r.metric for r in rows if r.data == "b"} == {"epe"}
    timed = [r for r in rows if r.metric == "ms_per_pair"]
    assert [(r.method, r.data) for r in timed] == [("dis", "64 × 48")] and timed[0].value > 0
    assert {r.pairs for r in rows if r.data == "a"} == {2}
    assert all(r.device == "cpu" and "core" in r.machine for r in rows)


def test_points_weigh_alike_and_not_pairs():
    """A quarter of the points of one pair count, all of the other: 5 off and 0 off."""
    few = pair()
    few.flow[:, 56:] = np.nan
    few.flow[:, :, 56:] = np.nan
    still = KnownPair("still", few.frames, np.zeros_like(few.flow))
    rows = measure([], {"a": [few, still]}, "cpu")
    assert value(rows, "still", "a", "epe") == pytest.approx(5 * 0.25 / 1.25, rel=1e-5)


def row(**changes):
    known = dict.fromkeys(("method", "data", "metric", "device", "machine"), "")
    return FlowScore(**known | {"value": 1.0, "pairs": 2} | changes)


def test_newer_figures_replace_older_ones(tmp_path):
    file = tmp_path / "flow.csv"
    write(
        file,
        [
            row(method="dis", metric="epe", machine="m"),
            row(method="dis", metric="ms_per_pair", machine="m"),
        ],
    )
    write(
        file,
        [
            row(method="dis", metric="epe", machine="n", value=0.12344),
            row(method="dis", metric="ms_per_pair", machine="n", value=7.0),
            row(method="raft-people", metric="epe"),
        ],
    )
    found = [(r.method, r.metric, r.machine, r.value) for r in read(file)]
    assert found == [
        ("dis", "epe", "n", 0.1234),
        ("dis", "ms_per_pair", "m", 1.0),
        ("dis", "ms_per_pair", "n", 7.0),
        ("raft-people", "epe", "", 1.0),
    ]


HEADER = ",".join(scores.COLUMNS) + "\n"


@pytest.mark.parametrize(
    "content",
    ["a,b\n1,2\n", "\xff\0", "", f"{HEADER}dis,n,epe\n", f"{HEADER}dis,n,epe,many,1,cpu,m\n", '"a'],
    ids=["other", "noise", "empty", "row cut short", "no number", "open quote"],
)
def test_another_table_is_not_overwritten(content, tmp_path):
    file = tmp_path / "flow.csv"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ChoiceError, match=r"'flow\.csv' is no table"):
        write(file, [row()])
    assert file.read_text(encoding="latin-1") == content


def test_a_method_without_weights_is_not_measured():
    with pytest.raises(WeightsError, match="RAFT-small, trained here"):
        measure(["raft-people"], {"a": [pair()]}, "cpu")
    ready, left_out = flow_errors.ready()
    assert ready[:2] == ["dis", "farneback"] and "raft-people" not in ready
    assert any("raft_small_people.safetensors" in sentence for sentence in left_out)


def test_rendered_pairs_are_fixed(monkeypatch):
    monkeypatch.setattr(flow_errors, "PEOPLE_SIZE", (48, 32))
    (first,) = flow_errors.people(1)
    assert first.name == "people-8000000" and first.frames.shape == (2, 32, 48, 3)


def run(*arguments):
    result = CliRunner().invoke(cli.app, ["flow-evaluate", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command(tmp_path):
    import cv2

    folder = tmp_path / "known"
    folder.mkdir()
    one = pair()
    for number, frame in enumerate(one.frames, start=1):
        cv2.imwrite(str(folder / f"a_img{number}.ppm"), frame[..., ::-1])
    write_flo(folder / "a_flow.flo", one.flow)
    out = tmp_path / "flow.csv"
    code, said, _ = run("--pairs", 0, "--data", folder, "--methods", "farneback", "--out", out)
    assert code == 0 and "Farneback" in said and "Nothing moves" in said
    assert [(r.method, r.data, r.metric) for r in read(out)] == [
        ("still", "known", "epe"),
        ("farneback", "known", "epe"),
        ("farneback", "64 × 48", "ms_per_pair"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--methods", "horn"], "No optical flow is called 'horn': choose dis"),
        (["--pairs", "0", "--data", "nowhere"], "holds no pairs with known flow"),
        (["--pairs", "0", "--methods", "flownet-lab"], "flownet_lab_people"),
        (["--out", "no/such/folder.csv"], "cannot be written"),
    ],
    ids=["no method", "no data", "no weights", "no place"],
)
def test_mistakes_are_said_in_a_sentence(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, said = run(*arguments)
    assert code == 2 and words in said and said.count("\n") == 1
