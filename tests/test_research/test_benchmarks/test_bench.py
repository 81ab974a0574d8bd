import csv

import pytest
from typer.testing import CliRunner

from har_demo.research import cli
from har_demo.research.benchmarks import bench

MB = 10**6


def figures(way: str) -> dict:
    """What the processes would say on a machine where every target is met exactly."""
    return {
        "prepare": {
            "short": "short.mp4",
            "long": "long.mp4",
            "models": [{"name": name, "weights": None} for name in bench.MODELS],
        },
        "plain": {
            "first": 9.0,
            "second": 9.0,
            "single": 6.0,
            "peak": 4000 * MB,
            "above": 3200 * MB,
        },
        "ours": {"first": 9.0, "second": 3.0, "single": 2.0, "peak": 1000 * MB, "above": 800 * MB},
        "short.mp4": {"windows": 23, "peak": 1000 * MB, "above": 500 * MB},
        "long.mp4": {"windows": 468, "peak": 1300 * MB, "above": 650 * MB},
    }[way]


@pytest.fixture
def jobs(monkeypatch) -> list[str]:
    """Which jobs were run; none really is."""
    ran = []

    def run(way, job, folder):
        ran.append(way)
        return dict(figures(job["clip"] if way == "sliding" else way))

    monkeypatch.setattr(bench, "_run", run)
    return ran


def test_the_two_ways_take_turns(jobs):
    bench.measure()
    assert jobs == ["prepare", *["plain", "ours"] * 3, "sliding", "sliding"]
    jobs.clear()
    bench.measure(quick=True)
    assert jobs == ["prepare", "plain", "ours", "sliding", "sliding"]


def test_targets_met_exactly_are_met(jobs):
    rows = bench.measure()
    assert [row[-1] for row in rows] == ["met"] * 7
    assert [row[3] for row in rows] == [
        "1.00× faster",
        "3.00× faster",
        "3.00× faster",
        "0.25 of it",
        "0.25 of it",
        "1.30 of it",
        "1.30 of it",
    ]
    assert rows[1][1:3] == ("9.00 s", "3.00 s") and rows[4][1:3] == ("4000 MB", "1000 MB")
    assert "468 sliding windows over 600 s" in rows[5][0]


@pytest.mark.parametrize(
    ("way", "key", "worse", "row"),
    [
        ("ours", "first", 9.1, 0),
        ("ours", "second", 3.1, 1),
        ("ours", "single", 2.1, 2),
        ("ours", "above", 801 * MB, 3),
        ("plain", "peak", 3990 * MB, 4),
        ("long.mp4", "above", 651 * MB, 5),
        ("short.mp4", "peak", 990 * MB, 6),
    ],
)
def test_a_target_that_is_missed_is_said_to_be(monkeypatch, way, key, worse, row):
    def run(job_way, job, folder):
        name = job["clip"] if job_way == "sliding" else job_way
        return {**figures(name), **({key: worse} if name == way else {})}

    monkeypatch.setattr(bench, "_run", run)
    verdicts = [r[-1] for r in bench.measure()]
    assert verdicts.pop(row) == "MISSED" and set(verdicts) == {"met"}


def test_times_are_the_best_and_memory_is_the_worst_of_all_rounds(monkeypatch):
    rounds = iter([(9.0, 700), (3.0, 900), (4.0, 800)])

    def run(way, job, folder):
        found = dict(figures(job["clip"] if way == "sliding" else way))
        if way == "ours":
            found["second"], found["above"] = next(rounds)
            found["above"] *= MB
        return found

    monkeypatch.setattr(bench, "_run", run)
    rows = bench.measure()
    assert rows[1][2] == "3.00 s" and rows[3][2] == "900 MB"


def test_the_table_is_printed_and_written_only_when_asked(jobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(cli.app, ["bench"])
    assert printed.exit_code == 0 and printed.stdout.count("met") == 7
    assert list(tmp_path.iterdir()) == []
    CliRunner().invoke(cli.app, ["bench", "--out", "table.csv"])
    with open("table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == bench.COLUMNS and len(rows) == 8


@pytest.mark.nightly
def test_a_job_that_fails_gives_no_figures(tmp_path):
    with pytest.raises(RuntimeError, match="'plain' ended with exit code 2"):
        bench._run("plain", {"models": [{"name": "no such model"}]}, str(tmp_path))
