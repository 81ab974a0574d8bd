"""`har-demo evaluate` from its options to a table, and to the manifest beside the shipped weights."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from har_demo import assets, cli
from har_demo.cli.record import FIRST, entry_of, record, rows
from har_demo.errors import WeightsError
from har_demo.recognize.evaluate import measure
from har_demo.tables.measured import COLUMNS
from har_demo.weights import Provenance, shipped
from tests.evaluated import COLOURS, card, outcome, weights
from tests.media import write

__all__ = ["card", "weights"]  # fixtures


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four clips in UCF101's layout; the second of walking is green, so that it is taken for jumping."""
    folder = tmp_path_factory.mktemp("data") / "UCF-9"
    for name, colour in (
        ("Walking/v_Walking_g01_c01", COLOURS["walking"]),
        ("Walking/v_Walking_g01_c02", COLOURS["jumping jack"]),
        ("JumpingJack/v_JumpingJack_g01_c01", COLOURS["jumping jack"]),
        ("Sewing/v_Sewing_g01_c01", COLOURS["walking"]),
    ):
        path = folder / f"{name}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        # A number in the corner: equal clips would be one in the cache.
        frames = np.full((12, 48, 64, 3), colour, np.uint8)
        frames[:, :4, :4] = len(list(folder.rglob("*.avi"))) * 20
        write(path, frames, codec="mpeg4")
    return folder


def run(*arguments) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["evaluate", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def figures(file: Path) -> dict[tuple[str, str], tuple[float, int]]:
    with open(file, newline="") as opened:
        table = list(csv.DictReader(opened))
    assert tuple(table[0]) == COLUMNS
    return {(r["dataset"], r["metric"]): (float(r["value"]), int(r["clips"])) for r in table}


def test_a_folder_of_class_folders_becomes_a_table(card, weights, folder, tmp_path):
    out = tmp_path / "figures.csv"
    code, said, noted = run(
        "--model", card.name, "--data", folder, "--weights", weights, "--out", out
    )
    assert code == 0
    assert noted == "Left out, as the model has no such class: Sewing.\n"
    assert "66.7 %" in said and "UCF-9" in said and card.name in said
    assert figures(out) == {
        ("UCF-9", "top1"): (66.6667, 3),
        ("UCF-9", "top5"): (100, 3),
        ("UCF-9", "class_mean"): (75, 3),
        ("UCF-9", "top1_among"): (66.6667, 3),
        ("UCF-9", "ece"): (pytest.approx(20, abs=20), 3),
    }
    assert [path.name for path in tmp_path.glob("*.csv")] == ["figures.csv"]


def test_a_list_and_a_clip_that_cannot_be_read(card, weights, folder, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("v_Walking_g01_c01.avi", "v_Walking_g01_c02.avi"):
        (data / name).write_bytes((folder / "Walking" / name).read_bytes())
    (data / "v_Walking_g01_c03.avi").write_bytes(b"this is no film")
    listed = tmp_path / "testlist01.txt"
    listed.write_text("Walking/v_Walking_g01_c01.avi\nWalking/v_Walking_g01_c03.avi\n")
    code, said, noted = run(
        "--model", card.name, "--data", data, "--weights", weights, "--list", listed
    )
    assert code == 0
    assert "100.0 %" in said and "Not counted, as they could not be read: 1." in said
    assert noted.startswith("v_Walking_g01_c03.avi: ") and noted.count("\n") == 1


@pytest.mark.nightly
def test_a_shipped_model_on_rendered_people_needs_no_files(tmp_path):
    out, model = tmp_path / "people.csv", "single_frame_lab"
    code, said, _ = run("--model", model, "--data", "people", "--clips", 1, "--out", out)
    assert code == 0 and model in said
    assert figures(out)["rendered", "top1"][1] == 1
    with open(out, newline="") as opened:
        row = next(csv.DictReader(opened))
    entry = shipped.entry(model)
    assert (row["split"], row["seed"]) == (entry["split"], str(entry["seed"]))


def test_shards_are_merged_and_models_compared(card, weights, folder, tmp_path):
    pytest.importorskip("pyarrow", reason="kept answers need pyarrow (extra [answers])")
    asked = ("--model", card.name, "--data", folder, "--weights", weights)
    for shard in ("1/2", "2/2"):
        code, said, _ = run(*asked, "--shard", shard, "--answers", tmp_path / "a.parquet")
        assert code == 0 and "merge it" in said
    parts = sorted(tmp_path.glob("*.parquet"))
    assert [file.name for file in parts] == ["a-1of2.parquet", "a-2of2.parquet"]
    assert not list(tmp_path.glob("*.csv"))
    out, whole = tmp_path / "f.csv", tmp_path / "whole.parquet"
    call = ["merge", *map(str, parts), "--out", str(out), "--answers", str(whole)]
    done = CliRunner().invoke(cli.app, call)
    assert done.exit_code == 0 and "66.7 %" in done.stdout and "20.8 to 93.8" in done.stdout
    with open(out, newline="") as opened:
        (row,) = csv.DictReader(opened)
    assert (row["top1"], row["guessing"], row["group_low"]) == ("66.67", "50.0", "")
    done = CliRunner().invoke(cli.app, ["compare", str(whole)])
    assert done.exit_code == 0 and f"{card.name}  2" in done.stdout
    done = CliRunner().invoke(cli.app, ["merge", str(parts[0])])
    assert done.exit_code == 2 and "has no row for 1 of 3 clips" in done.stderr


def test_the_test_is_opened_by_its_own_command_alone(card, weights, tmp_path):
    (tmp_path / "examples.json").write_text("[]")
    for split, words in (("a", "research sealed-test"), ("", "--split fold0 or")):
        given = ("--split", split) if split else ()
        code, _, error = run("--model", card.name, "--data", tmp_path, "--weights", weights, *given)
        assert code == 2 and words in error


BAD = {
    "no folder": (["--data", "/nowhere/at/all"], "There is no folder '/nowhere/at/all'"),
    "a file": (["--data", __file__], "There is no folder"),
    "an empty folder": (["--data", "EMPTY"], "holds no videos"),
    "no model": (["--model", " , "], "No model is chosen"),
    "an unknown model": (["--model", "c3d_lap"], "did you mean c3d_lab"),
    "no weights": (["--model", "lrcn"], "do not come with the app"),
    "weights that are not there": (["--weights", "/nowhere.safetensors"], "nowhere.safetensors"),
    "weights for two": (["--model", "a,b", "--weights", "x.pt"], "for one model"),
    "a list that is not there": (["--list", "/nowhere.txt"], "'nowhere.txt' cannot be read"),
    "a list for people": (["--data", "people", "--list", "x.txt"], "leave it out"),
    "clips of a folder": (["--clips", "3"], "leave it out for a folder"),
    "a split of a folder": (["--split", "a"], "--split is for a folder that"),
    "a shard that is none": (["--shard", "3/2"], "There is no shard '3/2'"),
    "a shard without answers": (["--shard", "1/2"], "give --answers FILE.parquet"),
    "a device that is not there": (["--device", "cuda:77"], "There is no device cuda:77"),
    "answers that are no Parquet": (["--answers", "ANSWERS"], "ends with .parquet"),
    "no place for the table": (["--out", "/nowhere/at/all.csv"], "cannot be written"),
    "no manifest": (["--record", "/nowhere"], "holds no manifest.json"),
    "a folder in the manifest": (["--record", "CHECKPOINTS"], "leave out --record"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_choice_is_one_sentence_and_exit_code_2(what, card, weights, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    places = {
        "ANSWERS": str(tmp_path / "a.txt"),
        "EMPTY": str(tmp_path / "empty"),
        "CHECKPOINTS": str(assets.CHECKPOINTS),
    }
    given, words = BAD[what]
    asked = {"--model": card.name, "--data": str(folder)}
    if not {"--model", "--weights"} & set(given):
        asked["--weights"] = str(weights)
    asked |= dict(zip(given[::2], (places.get(g, g) for g in given[1::2]), strict=True))
    code, out, error = run(*(word for pair in asked.items() for word in pair))
    assert (code, out) == (2, "")
    sentence = error.splitlines()[-1]  # notes on what was left out may come before
    assert sentence.endswith((".", "?")) and words in sentence
    assert not list(tmp_path.glob("*.csv"))


def manifest(folder: Path, **changes) -> Path:
    entry = {"model": "c3d_lab", "file": "c", "sha256": "0f", "split": "a", "seed": 3,
             "accuracy": [{"dataset": "ARID", "top1": 1.0}, {"dataset": "Weizmann", "top1": 2.0}]}  # fmt: skip
    other = {"model": "r2plus1d_lab", "file": "r", "sha256": "1f", "accuracy": [{"top1": 1}]}
    listed = {"checkpoints": [entry | changes, other]}
    (folder / "manifest.json").write_text(json.dumps(listed))
    return folder


def test_figures_replace_those_of_their_data_and_no_others(tmp_path):
    manifest(tmp_path)
    one = outcome(
        [("arid6", "park", "walking"), ("arid6", "lab", "running")], ["walking", "walking"]
    )
    record(tmp_path, one, measure(one))
    two = outcome([("rendered", "", "walking")] * (FIRST + 20), ["walking"] * 30 + ["running"] * 50)
    record(tmp_path, two, measure(two))
    entry, other = shipped.entries(tmp_path)
    assert other["accuracy"] == [{"top1": 1}]
    arid, weizmann, people = entry["accuracy"]
    assert (arid["dataset"], arid["top1"], arid["clips"]) == ("ARID", 50.0, 2)
    assert "lab, park" in arid["split"] and arid["date"]
    assert weizmann == {"dataset": "Weizmann", "top1": 2.0}
    assert (people["dataset"], people["top1"], people["clips"]) == ("Rendered people", 37.5, 80)
    assert people["first"] == {"clips": FIRST, "top1": 50.0}
    assert people["seed"] == 1_000_000


def test_other_weights_never_get_into_the_manifest(tmp_path):
    one = outcome([("arid6", "park", "walking")], ["walking"])
    before = manifest(tmp_path, sha256="ff") / "manifest.json"
    text = before.read_text()
    with pytest.raises(WeightsError, match="does not list the weights that answer for C3D"):
        record(tmp_path, one, measure(one))
    assert before.read_text() == text
    assert entry_of(manifest(tmp_path), one.target)["seed"] == 3


def test_rows_say_how_the_shipped_file_was_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CHECKPOINTS", str(manifest(tmp_path)))
    one = outcome([("arid6", "park", "walking")], ["walking"])
    table = rows(one, measure(one))
    assert all(tuple(row) == COLUMNS for row in table)
    assert {(row["start"], row["split"], row["seed"]) for row in table} == {("scratch", "a", 3)}
    own = replace(one, target=replace(one.target, provenance=Provenance("user", "a", "0f")))
    assert {(row["start"], row["split"]) for row in rows(own, measure(own))} == {("", "")}
