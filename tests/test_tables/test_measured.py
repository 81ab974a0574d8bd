"""What was measured is read from the tables: seeds become a mean and a spread, mistakes add up."""

import json
from collections import defaultdict

import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.errors import ChoiceError
from har_demo.tables import measured
from har_demo.tables.measured import COLUMNS, CONFUSION_COLUMNS, CURVE_COLUMNS, TIME_COLUMNS
from har_demo.tables.rows import read_rows, write_rows


def row(model="tsm_lab", seed=0, dataset="arid6", metric="top1", value=50.0, **other) -> dict:
    own = {"input": "rgb", "start": "scratch", "split": "a", "clips": 55} | other
    return own | {
        "model": model, "seed": seed, "dataset": dataset, "metric": metric, "value": value
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Two seeds of TSM, one of I3D with another input and of C3D with both, a variation and a fusion."""
    rows = [
        row(dataset="", metric="parameters", value=1000.0, clips=0),
        row(value=50.0),
        row(seed=1, value=60.0),
        row(seed=1, split="b", value=99.0),
        row("i3d_lab", input="difference", value=40.0),
        row("c3d_lab", input="difference", value=45.0),
        row("c3d_lab", value=35.0),
        row("tsn_lab.frames_4", value=10.0),
        row("two_stream_lab.average", input="rgb+flow", value=70.0),
        row("no_longer_here", value=10.0),
    ]
    write_rows(tmp_path / "tiny.csv", COLUMNS, rows)
    run = {"model": "tsm_lab", "input": "rgb", "split": "a"}
    write_rows(
        tmp_path / "confusion.csv",
        CONFUSION_COLUMNS,
        [
            run | {"seed": s, "dataset": "arid6", "true": "walking", "predicted": p, "count": n}
            for s, p, n in (
                (0, "walking", 3),
                (0, "running", 1),
                (1, "walking", 1),
                (1, "running", 3),
            )
        ],
    )
    write_rows(
        tmp_path / "curves.csv",
        CURVE_COLUMNS,
        [
            run | {"seed": s, "stage": stage, "step": step, "loss": loss, "seconds": 1.5}
            for s, stage, step, loss in (
                (1, "pretrain", 0, 3.5),
                (0, "pretrain", 0, 3.6),
                (0, "pretrain", 50, 2.0),
                (0, "finetune", 0, 1.0),
            )
        ],
    )
    return tmp_path


def test_seeds_become_a_mean_and_a_spread(folder):
    found = {one.key: one for one in measured.entries(folder)}
    c3d = {"c3d_lab", "c3d_lab-rgb"}
    assert set(found) == {"tsm_lab", "i3d_lab-difference", "two_stream_lab.average"} | c3d
    figure = found["tsm_lab"].figures["arid6", "top1"]
    assert (figure.mean, figure.seeds, figure.clips) == (55.0, 2, 55)
    assert figure.spread is None and figure.words() == "55.0"  # two seeds often agree by chance
    three = measured._figure([{"value": v, "clips": 55} for v in (50.0, 60.0, 55.0)])
    assert three.spread == pytest.approx(5) and three.words() == "55.0 ± 5.0"
    assert found["tsm_lab"].parameters == 1000
    single = found["i3d_lab-difference"].figures["arid6", "top1"]
    assert single.spread is None and single.words() == "40.0"
    assert found["i3d_lab-difference"].title == "I3D, on differences"
    assert {found[one].title for one in c3d} == {"C3D, on differences", "C3D, on frames"}
    assert found["two_stream_lab.average"].title == "Two-stream, averaged"


def test_confusions_add_up_over_seeds(folder):
    found = measured.confusion(measured.entry("tsm_lab", folder), "arid6", folder)
    assert found.seeds == 2 and found.true == ("walking",)
    assert found.mistakes() == [("walking", "running", 4, 8)]
    assert measured.confusion(measured.entry("tsm_lab", folder), "weizmann", folder) is None


def test_a_curve_for_each_seed(folder):
    tsm, c3d = (measured.entry(key, folder) for key in ("tsm_lab", "c3d_lab"))
    first, second = measured.curves(tsm, folder)
    assert (first.seed, second.seed) == (0, 1)
    assert first.points == (
        ("pretrain", 0, 3.6, 1.5),
        ("pretrain", 50, 2.0, 1.5),
        ("finetune", 0, 1.0, 1.5),
    )
    assert second.points == (("pretrain", 0, 3.5, 1.5),)
    assert measured.curves(c3d, folder) == ()
    assert measured.top1_of_seeds(tsm, folder) == {0: {"arid6": 50.0}, 1: {"arid6": 60.0}}


def test_a_bad_row_is_named_by_its_line(folder):
    text = (folder / "tiny.csv").read_text().replace(",60.0,", ",sixty,")
    (folder / "tiny.csv").write_text(text)
    with pytest.raises(ValueError, match=r"tiny\.csv, line 4: .*sixty"):
        measured.entries(folder)


def test_who_was_not_measured_gets_a_sentence(folder):
    with pytest.raises(ChoiceError, match="was not trained here"):
        measured.entry("swin_lab", folder)
    with pytest.raises(ChoiceError, match="no_such"):
        measured.entry("no_such", folder)
    with pytest.raises(ChoiceError, match="choose arid6"):
        measured.check_dataset("ucf101")
    assert measured.entries(folder / "nowhere") == ()


def test_every_figure_of_the_projects_table_is_found():
    values = defaultdict(list)
    for r in read_rows(measured.FOLDER / "tiny.csv"):
        if r["dataset"] and r["split"] == "a":
            key = (r["model"], r["input"], r["dataset"], r["metric"])
            values[key].append(float(r["value"]))
    for one in measured.entries():
        for (dataset, metric), figure in one.figures.items():
            own = values[one.model, one.input, dataset, metric]
            assert figure.mean == pytest.approx(sum(own) / len(own))
            assert (figure.spread is None) == (len(own) < measured.SEEDS_FOR_SPREAD)
        confusions = measured.confusion(one, "rendered")
        if confusions is not None:
            right = sum(m[2] for m in confusions.mistakes())
            share = 1 - right / confusions.counts.sum()
            assert 100 * share == pytest.approx(one.figures["rendered", "top1"].mean, abs=0.01)


def test_the_command_prints_it():
    run = CliRunner().invoke
    printed = run(cli.app, ["measured", "--data", "rendered"]).stdout
    one = measured.entry("tsm_lab")
    line = next(line for line in printed.splitlines() if line.startswith("tsm_lab "))
    assert one.figures["rendered", "top1"].words() in line
    mistakes = run(cli.app, ["measured", "--data", "arid6", "--confusions", "tsm_lab"]).stdout
    assert mistakes.splitlines()[0].split() == ["true", "predicted", "clips"]
    assert "choose arid6" in run(cli.app, ["measured", "--data", "kinetics"]).stderr


def test_the_command_prints_curves():
    run = CliRunner().invoke
    curve = measured.curves(measured.entry("tsm_lab"))[0]
    stage, step, loss, seconds = curve.points[1]
    head, _, second, *_ = run(cli.app, ["measured", "--curves", "tsm_lab"]).stdout.splitlines()
    assert head.split() == ["seed", "stage", "step", "loss", "seconds"]
    assert second.split() == [str(curve.seed), stage, str(step), f"{loss:.4f}", f"{seconds:.1f}"]
    programs = json.loads(run(cli.app, ["measured", "--curves", "tsm_lab", "--json"]).stdout)
    assert programs == measured.curves_json(measured.entry("tsm_lab"))
    assert [len(one["points"]) for one in programs] == [
        len(one.points) for one in measured.curves(measured.entry("tsm_lab"))
    ]
    both = run(cli.app, ["measured", "--curves", "tsm_lab", "--confusions", "tsm_lab"])
    assert both.exit_code == 2 and "ask for one of them" in both.stderr


def test_times_are_kept_apart_by_machine(tmp_path):
    lines = [
        ("tsm_lab", "A processor", 2, "float32", 20.5),
        ("tsm_lab", "A GPU", 2, "bfloat16", 1.5),
        ("c3d_lab", "A GPU", 2, "bfloat16", 2.0),
    ]
    rows = [dict(zip(TIME_COLUMNS, line, strict=True)) for line in lines]
    write_rows(tmp_path / "tiny_times.csv", TIME_COLUMNS, rows)
    assert measured.times(tmp_path) == {
        "A processor, 2 threads": {"tsm_lab": 20.5},
        "A GPU": {"tsm_lab": 1.5, "c3d_lab": 2.0},
    }
    assert measured.times(tmp_path / "nowhere") == {}


def test_the_table_of_a_terminal_has_the_times():
    told = CliRunner().invoke(cli.app, ["measured", "--data", "arid6"]).output
    machine, taken = next(iter(measured.times().items()))
    head, *lines = told.splitlines()
    assert f"ms a view, {machine}" in head
    (line,) = (line for line in lines if line.startswith("tsm_lab "))
    assert f"{taken['tsm_lab']:.1f}" in line
