"""The command edits gives what the functions give."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.clips.ingest import ingest
from har_demo.explain.edits import EDITS
from tests.media import acted, write

MODEL = "tsm_lab"


def run(*arguments) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("clips") / "waving.mp4", acted("wave_both_hands"))


def test_edits_are_listed():
    code, out, _ = run("edits")
    assert code == 0 and all(edit.does in out for edit in EDITS.values())


@pytest.mark.nightly
def test_edits_of_a_clip(clip, tmp_path):
    asked = (
        "edits",
        clip,
        "--model",
        f"{MODEL},early_fusion_lab",
        "--edits",
        "reverse, darken=0.3",
    )
    code, out, _ = run(*asked, "--out", tmp_path / "grid.csv")
    assert code == 0 and "Backwards" in out and "Darkened, 30 %" in out
    assert "temporal sensitivity" in out
    rows = list(csv.DictReader((tmp_path / "grid.csv").open(newline="")))
    assert [(r["model"], r["edit"]) for r in rows[:3]] == [
        (MODEL, ""),
        (MODEL, "reverse"),
        (MODEL, "darken"),
    ]
    code, out, _ = run(*asked, "--json", "--out", tmp_path / "grid.json")
    told = json.loads(out)
    assert told == json.loads((tmp_path / "grid.json").read_text())
    assert told["models"][0]["edits"][0]["distance"] == float(rows[1]["distance"])


def test_an_edited_clip_is_written(clip, tmp_path):
    code, _, _ = run("edits", clip, "--edits", "speed=2", "--video", tmp_path / "fast.mp4")
    fast = ingest(tmp_path / "fast.mp4")
    assert code == 0 and fast.frames == 25 and fast.source.codec == "h264"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.mp4", "--model", MODEL], "There is no file"),
        (["CLIP"], "No model is chosen"),
        (["CLIP", "--model", "nobody"], "nobody"),
        (["CLIP", "--model", MODEL, "--edits", "upside-down"], "No edit is called"),
        (["CLIP", "--model", MODEL, "--start", "99"], "start somewhere"),
        (["CLIP", "--model", MODEL, "--out", "/nowhere/a.csv"], "cannot be written"),
        (["CLIP", "--model", MODEL, "--out", "OUT/a.txt"], "neither .csv nor .json"),
        (["CLIP", "--edits", "reverse,mirror", "--video", "OUT/a.mp4"], "one edit"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence_and_exit_code_2(clip, tmp_path, arguments, words):
    given = [a.replace("CLIP", str(clip)).replace("OUT", str(tmp_path)) for a in arguments]
    code, out, err = run("edits", *given)
    assert code == 2 and out == "" and words in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_samplings_of_a_clip(clip, tmp_path):
    asked = ("samplings", clip, "--model", MODEL, "--frames", "4,8", "--strides", "2")
    code, out, _ = run(*asked, "--out", tmp_path / "table.csv")
    assert code == 0 and "segments, their centres" in out and "always takes 8 frames" in out
    rows = list(csv.DictReader((tmp_path / "table.csv").open(newline="")))
    assert [row["kind"] for row in rows] == ["dense", "uniform", "segments"]
    code, out, _ = run(*asked, "--json", "--kinds", "uniform")
    assert [one["kind"] for one in json.loads(out)["passes"]] == ["uniform"]
    for wrong, words in (("4,x", "--frames takes numbers"), ("99", "from 1 to 64")):
        code, out, err = run("samplings", clip, "--model", MODEL, "--frames", wrong)
        assert code == 2 and out == "" and words in err and err.count("\n") == 1
