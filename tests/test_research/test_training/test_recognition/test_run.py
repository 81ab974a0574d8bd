"""The queue end to end on a processor: footage, two stages, figures, tables, a checkpoint."""

import contextlib
import csv
import dataclasses
import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from har_demo.errors import WeightsError
from har_demo.labels import EVERYDAY
from har_demo.models.registry import card
from har_demo.recognize.prepared import read_examples
from har_demo.research.cli import app
from har_demo.research.training.recognition import figures, score, tables
from har_demo.research.training.recognition import run as run_module
from har_demo.research.training.recognition.data import prepare
from har_demo.research.training.recognition.fitted import FITTED
from har_demo.research.training.recognition.protocol import FILE, read_protocol
from har_demo.research.training.recognition.run import runs_of, runs_of_ablations, with_teachers
from har_demo.research.training.recognition.ship import ship
from har_demo.research.training.recognition.train import Run, trainable
from har_demo.research.training.recognition.variants import variants
from har_demo.research.training.recognition.work_folder import Queue, flow_files, make_flow
from har_demo.tables.measured import COLUMNS, CONFUSION_COLUMNS, CURVE_COLUMNS
from har_demo.tables.rows import read_rows, write_rows
from tests.media import numbered_frames, write

MODEL = "multiresolution_lab"  # the quickest
NAME = f"{MODEL}-difference-s7-a"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A clip on either side of split 'a' from each data set."""
    folder = tmp_path_factory.mktemp("labelled")
    rows = [
        ("ido_walk.mp4", "weizmann", "walk"),
        ("lena_walk.mp4", "weizmann", "walk"),
        ("sit_2_1.mp4", "arid6", "Sit"),
        ("sit_4_1.mp4", "arid6", "Sit"),
        ("squat_8.mp4", "workout4", "squats"),
        ("squat_24.mp4", "workout4", "squats"),
    ]
    for path, _, _ in rows:
        write(folder / path, numbered_frames(30))
    with open(folder / "clips.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerows([("path", "dataset", "class"), *rows])
    prepare(folder, folder / "prepared")
    return folder / "prepared"


@pytest.fixture(scope="module")
def protocol_file(tmp_path_factory):
    values = dataclasses.asdict(read_protocol()) | {
        "seeds": [7],
        "batch": 4,
        "pretrain_steps": 2,
        "finetune_steps": 2,
        "rendered_clips": 3,
        "test_clips": 2,
    }
    file = tmp_path_factory.mktemp("protocol") / "protocol.toml"
    file.write_text("\n".join(f"{name} = {value}" for name, value in values.items()))
    return file


def command(*words):
    """Exit code, standard output and standard error of a command of research, in this process."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def finished(prepared, protocol_file, tmp_path_factory):
    """Two calls: one that trains, by a worker in this process, and one that finds it done."""
    folder = tmp_path_factory.mktemp("session")
    words = ["train", "--data", prepared, "--models", MODEL, "--protocol", protocol_file]
    words += ["--work", folder / "work"]
    (folder / "work" / "claims").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "supervise", lambda queue, workers: run_module.work(queue, 0))
        patch.setattr(score, "AT_ONCE", 4)  # windows tested together: there are few
        patch.setattr(figures, "FRAMES", 20)  # of a rendered clip
        assert command(*words)[0] == 0
        weights = folder / "work" / "done" / NAME / "weights.safetensors"
        first = weights.stat().st_mtime_ns
        code, out, _ = command(*words)
        assert (code, weights.stat().st_mtime_ns) == (0, first) and "0 of 1 runs to do" in out
    return folder


@pytest.mark.nightly
def test_workers_are_processes(finished, prepared, protocol_file, tmp_path):
    """What is rendered and decoded is there already, so that they only train."""
    for file in (finished / "work").glob("re*-*.pt"):
        shutil.copy(file, tmp_path)
    words = ["--data", prepared, "--models", MODEL, "--protocol", protocol_file]
    assert command("train", *words, "--work", tmp_path, "--inputs", "rgb", "--workers", 2)[0] == 0
    assert (tmp_path / "done" / f"{MODEL}-rgb-s7-a" / "weights.safetensors").exists()


@pytest.mark.nightly
@pytest.mark.slow
def test_a_run_leaves_figures_confusions_a_curve_and_weights(finished):
    folder = finished / "work" / "done" / NAME
    rows = read_rows(folder / "metrics.csv")
    assert tuple(rows[0]) == COLUMNS
    assert {row["model"] for row in rows} == {MODEL}
    assert {row["seed"] for row in rows} == {"7"}
    figures = {(row["dataset"], row["metric"]): row for row in rows}
    for dataset, clips in (("weizmann", 1), ("arid6", 1), ("workout4", 1), ("rendered", 2)):
        for metric in ("top1", "top5", "class_mean", "top1_among", "ece"):
            row = figures[dataset, metric]
            assert 0 <= float(row["value"]) <= 100
            assert int(row["clips"]) == clips
    assert figures["arid6", "order"]["clips"] == "1"  # sitting down
    assert figures["workout4", "reversed_top1"]["clips"] == "1"
    assert ("weizmann", "order") not in figures  # walking has no counterpart
    assert float(figures["", "gmacs"]["value"]) == pytest.approx(card(MODEL).gmacs)

    confused = read_rows(folder / "confusion.csv")
    assert tuple(confused[0]) == CONFUSION_COLUMNS
    (cell,) = [row for row in confused if row["dataset"] == "arid6"]
    assert (cell["model"], cell["true"], cell["count"]) == (MODEL, "sitting down", "1")
    assert cell["predicted"] in EVERYDAY
    curve = read_rows(folder / "curve.csv")
    assert tuple(curve[0]) == CURVE_COLUMNS and {row["model"] for row in curve} == {MODEL}
    assert [(row["stage"], row["step"]) for row in curve] == [
        ("pretrain", "0"),
        ("pretrain", "1"),
        ("finetune", "0"),
        ("finetune", "1"),
    ]
    state = load_file(folder / "weights.safetensors")
    assert all(v.dtype == torch.float16 for v in state.values() if v.is_floating_point())
    card(MODEL).build(len(EVERYDAY)).load_state_dict(state)


def test_a_teacher_is_trained_right_before_its_student():
    plain, student = Run("c3d_lab", "rgb", 0), Run("mars_lab", "rgb", 1)
    teacher = Run("mars_flow_lab", "flow", 1)
    assert with_teachers([plain, student, plain]) == [plain, teacher, student]
    assert with_teachers([student, teacher]) == [teacher, student]


@pytest.mark.nightly
@pytest.mark.slow
def test_runs_become_tables(finished, tmp_path):
    shutil.copytree(finished / "work" / "done" / NAME, tmp_path / "runs" / NAME)
    assert tables.tabulate(tmp_path / "runs", tmp_path / "results") == 1
    run, results = tmp_path / "runs" / NAME, tmp_path / "results"
    rows = read_rows(results / "tiny.csv")
    assert sorted(map(str, rows)) == sorted(map(str, read_rows(run / "metrics.csv")))
    for made, table in (("curve.csv", "curves.csv"), ("confusion.csv", "confusion.csv")):
        assert read_rows(results / table) == read_rows(run / made)
    # Rows of another run stay; those of the same run, with other values, take the place of the old ones.
    other = [row | {"seed": "8"} for row in read_rows(results / "curves.csv")]
    write_rows(results / "curves.csv", CURVE_COLUMNS, [*other, *read_rows(run / "curve.csv")])
    (run / "metrics.csv").write_text(
        (run / "metrics.csv").read_text().replace("top5,0.0", "top5,100.0")
    )
    again = [row | {"loss": "0.5"} for row in read_rows(run / "curve.csv")]
    write_rows(run / "curve.csv", CURVE_COLUMNS, again)
    tables.tabulate(tmp_path / "runs", results)
    assert len(read_rows(results / "tiny.csv")) == len(rows)
    assert read_rows(results / "curves.csv") == again + other


@pytest.mark.nightly
@pytest.mark.slow
def test_a_run_can_be_shipped(finished, tmp_path, monkeypatch):
    folder = finished / "work" / "done" / NAME
    (tmp_path / "manifest.json").write_text('{"checkpoints": [{"model": "a", "seed": 1}]}')
    file = ship(folder, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    first, entry = manifest["checkpoints"]
    assert first == {"model": "a", "seed": 1}
    assert manifest["classes"] == {entry["classes"]: list(EVERYDAY)}
    assert entry["file"] == file.name == f"{MODEL}.safetensors"
    assert entry["bytes"] == file.stat().st_size
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert entry["seed"] == 7
    told = {item["dataset"]: (item["top1"], item["clips"]) for item in entry["accuracy"]}
    rows = read_rows(finished / "work" / "done" / NAME / "metrics.csv")
    top1 = {row["dataset"]: row for row in rows if row["metric"] == "top1"}
    assert set(told) == {"Weizmann", "ARID", "Workout", "Rendered people and recordings"}
    assert told["ARID"] == (round(float(top1["arid6"]["value"]), 1), 1)
    (weizmann,) = [item for item in entry["accuracy"] if item["dataset"] == "Weizmann"]
    assert weizmann["split"] == "people never seen in training (lena, moshe)"
    assert "from scratch without" in entry["protocol"]
    assert "lena" in entry["protocol"]

    entry = json.loads((folder / "entry.json").read_text()) | {"input": "rgb"}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "entry.json").write_text(json.dumps(entry))
    with pytest.raises(WeightsError, match="takes rgb"):
        ship(tmp_path / "other", tmp_path)


@pytest.mark.nightly
@pytest.mark.slow
def test_runs_of_a_table_are_left_out(finished, prepared, protocol_file, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "make_footage", lambda *words: None)
    monkeypatch.setattr(run_module, "supervise", lambda *words: None)
    words = ["--data", prepared, "--models", MODEL, "--protocol", protocol_file]
    words += ["--work", tmp_path, "--splits", "a,fold0"]
    words += ["--done", finished / "work" / "done" / NAME / "metrics.csv"]
    assert "1 of 2 runs to do" in command("train", *words)[1]


@pytest.mark.nightly
@pytest.mark.slow
def test_a_variation_is_trained_like_a_model_and_answers_its_question(
    finished, prepared, protocol_file, tmp_path, monkeypatch
):
    """By the queue's worker, in this process, and tested in small batches: that is quicker."""

    monkeypatch.setattr(run_module, "supervise", lambda queue, workers: run_module.work(queue, 0))
    monkeypatch.setattr(score, "AT_ONCE", 4)
    name = "mfnet_lab.frames_4"
    words = ["--data", prepared, "--models", name, "--protocol", protocol_file]
    assert command("train", *words, "--work", finished / "work")[0] == 0
    assert tables.tabulate(finished / "work" / "done", tmp_path / "results") == 2
    rows = read_rows(tmp_path / "results" / "ablations.csv")
    (row,) = [row for row in rows if row["model"] == name]
    assert (row["question"], row["seeds"]) == ("frames", "1")
    assert float(row["gmacs"]) == pytest.approx(card("mfnet_lab").gmacs / 4, rel=1e-3)
    assert int(row["parameters"]) == card("mfnet_lab").parameters
    figures = {
        (r["dataset"], r["metric"]): r["value"]
        for r in read_rows(tmp_path / "results" / "tiny.csv")
        if r["model"] == name
    }
    for dataset in ("rendered", "weizmann", "arid6", "workout4"):
        assert float(row[dataset]) == pytest.approx(float(figures[dataset, "top1"]), abs=0.05)
    confused = read_rows(tmp_path / "results" / "confusion.csv")
    assert {row["model"] for row in confused} == {MODEL}


def test_questions_need_their_rows_once():
    runs = runs_of_ablations(["non_local", "pyramid", "distillation"], [0, 1], ["a"])
    names = ["mfnet_lab", "mfnet_nl_lab", "mfnet_nl_lab.five", "mfnet_pnl_lab"]
    names += ["mfnet_pnl_lab.five", "mars_lab.alone"]
    first = [run for run in runs if run.seed == 0]
    assert [run.model for run in first if run.model in names] == names
    assert runs[: len(first)] == first
    assert len(runs) == 2 * len(first)
    (differences,) = (
        run for run in runs_of_ablations(["input"], [0], ["a"]) if run.input == "difference"
    )
    assert differences in runs_of(["i3d_lab"], ["other"], [0], ["a"])  # of the main table


def test_without_names_all_that_is_left_is_done(prepared, protocol_file, tmp_path, monkeypatch):
    """Every model and every variation, a seed after the other, and who teaches those that are left."""
    seen = []
    monkeypatch.setattr(run_module, "make_footage", lambda *words: None)
    monkeypatch.setattr(run_module, "flow_beside", lambda queue: contextlib.nullcontext())
    monkeypatch.setattr(run_module, "supervise", lambda queue, *rest: seen.extend(queue.runs))
    words = ["train", "--data", prepared, "--protocol", protocol_file, "--work", tmp_path]
    assert command(*words, "--seeds", "3,7")[0] == 0
    every, seen[:] = seen[:], []
    assert {*trainable(), *FITTED, *variants()} == {run.model for run in every}
    assert [run.seed for run in every] == [3] * (len(every) // 2) + [7] * (len(every) // 2)

    left = "mars_lab", "c3d_lab"
    rows = [
        {"model": run.model, "input": run.input, "seed": run.seed, "split": run.split}
        for run in every
        if (run.model, run.seed) not in [(name, 7) for name in left]
    ]
    blank = dict.fromkeys(COLUMNS, "")
    write_rows(tmp_path / "tiny.csv", COLUMNS, [blank | row for row in rows])
    _, out, _ = command(*words, "--seeds", "3,7", "--done", tmp_path / "tiny.csv")
    assert {run.name for run in seen} == {
        "mars_lab-rgb-s7-a",
        "c3d_lab-difference-s7-a",
        "mars_flow_lab-flow-s7-a",
    }
    assert f"3 of {len(every)} runs to do" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--models", "c3d_lab", "--ablations", "sampling"), "exclude each other"),
        (("--models", "tsn_lab.frames_5"), "tsn_lab.frames_16"),
        (("--ablations", "colour"), "--ablations has no 'colour': choose "),
        (("--inputs", "sound"), "choose own, other"),
        (("--splits", "a,c"), "--splits has no 'c': choose a, fold0, fold1, fold2, fold3."),
        (("--seeds", "one"), "--seeds are whole numbers, not 'one'"),
    ],
)
def test_a_wrong_choice_is_one_sentence(words, sentence):
    code, _, problem = command("train", "--data", "x", *words)
    assert code == 2 and sentence in problem and problem.count("\n") == 1


def test_real_clips_of_either_side_are_in_different_files(prepared):
    groups = {example.group for example in read_examples(prepared)}
    assert groups == {"ido", "lena", "wall", "lounge", "power racks", "dumbbells"}


def test_every_model_comes_once_before_any_comes_twice():
    runs = runs_of(["c3d_lab", "tsm_lab"], ["own", "other"], [0, 1], ["a"])
    assert [run.name for run in runs[:4]] == [
        "c3d_lab-difference-s0-a",
        "tsm_lab-rgb-s0-a",
        "c3d_lab-rgb-s0-a",
        "tsm_lab-difference-s0-a",
    ]
    assert len(runs) == len(set(runs)) == 8


@pytest.mark.nightly
@pytest.mark.slow
def test_a_stream_of_flow_is_trained_and_fused(finished, protocol_file, monkeypatch):
    """In the footage of the first runs, whose flow is computed once."""
    work, protocol = finished / "work", read_protocol(protocol_file)
    runs = (Run("spatial_stream_lab", "rgb", 7), Run("temporal_stream_lab", "flow", 7))
    queue = Queue(runs, work, protocol, ("cpu",))
    monkeypatch.setattr(score, "AT_ONCE", 2)
    make_flow(queue)
    files = {file: file.stat().st_mtime_ns for file in work.glob("flow-*.pt")}
    footage = [*work.glob("rendered-*.pt"), *work.glob("real-a-*.pt")]
    assert sorted(file.name for file in files) == sorted(f"flow-5-{f.name}" for f in footage)
    make_flow(queue)
    assert files == {file: file.stat().st_mtime_ns for file in work.glob("flow-*.pt")}
    run_module.work(queue, 0)
    for run in runs:
        rows = read_rows(queue.done(run) / "metrics.csv")
        assert {row["input"] for row in rows} == {run.input}

    assert command("fuse", "--work", work, "--protocol", protocol_file)[0] == 0
    for name in ("average", "svm"):
        rows = read_rows(work / "done" / f"two_stream_lab.{name}-rgb+flow-s7-a" / "metrics.csv")
        assert {row["dataset"] for row in rows} == {"weizmann", "arid6", "workout4", "rendered"}
        found = {row["metric"] for row in rows}
        assert {"top1", "top5", "class_mean"} < found and ("ece" in found) == (name == "average")
    tables.tabulate(work / "done", finished / "results")
    models = {row["model"] for row in read_rows(finished / "results" / "tiny.csv")}
    assert {"temporal_stream_lab", "two_stream_lab.average", "two_stream_lab.svm"} < models


@pytest.mark.nightly
@pytest.mark.slow
def test_what_does_not_come_is_named_and_left(finished, protocol_file, tmp_path, capsys):
    """The others are trained before it is given up."""
    for file in (finished / "work").glob("re*-*.pt"):  # rendered and real
        shutil.copy(file, tmp_path)
    (tmp_path / "claims").mkdir()
    runs = Run("mars_lab", "rgb", 7), Run(MODEL, "difference", 7)
    queue = Queue(runs, tmp_path, read_protocol(protocol_file), ("cpu",))
    for file in flow_files(queue, runs[0]).values():
        file.touch()
    run_module.work(queue, 0)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"{NAME}: ")
    assert said[1:] == ["mars_lab-rgb-s7-a: needs mars_flow_lab-flow-s7-a, which is not there"]


def test_models_of_flow_take_nothing_else():
    assert runs_of(["mars_flow_lab"], ["own", "rgb", "difference", "other"], [0], ["a"]) == [
        Run("mars_flow_lab", "flow", 0)
    ]


def test_networks_of_pictures_take_frames_or_changes():
    for model, own, other in (
        ("single_frame_lab", "difference", "rgb"),
        ("early_fusion_lab", "rgb", "difference"),
    ):
        found = runs_of([model], ["own", "other", "rgb", "difference"], [0], ["a"])
        assert found == [Run(model, own, 0), Run(model, other, 0)]
    runs = runs_of(list(trainable()), ["own", "other"], [0], ["a"])
    assert len(runs) > 60


def test_the_protocol_is_complete():
    protocol = read_protocol()
    assert len(protocol.seeds) >= 2
    assert protocol.rendered_seed + protocol.rendered_clips < protocol.test_seed
    lines = [line for line in FILE.read_text().splitlines() if "=" in line]
    assert len(lines) == len(dataclasses.fields(protocol))
