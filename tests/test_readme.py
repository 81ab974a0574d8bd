"""The figures that the README shows are those of the tables it names."""

import re
from pathlib import Path

from har_demo.models import registry
from har_demo.research.training.recognition.report import read_rows
from har_demo.research.training.recognition.variants import ABLATIONS
from har_demo.tables.measured import FOLDER
from har_demo.weights import shipped

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def table(head: str) -> list[list[str]]:
    """The cells of the table that begins with this cell, its two first lines left out."""
    lines = README[README.index(f"| {head}") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def numbers(cells: list[str]) -> tuple[float, ...]:
    """What the cells begin with; a dash, where nothing was counted, is 0."""
    return tuple(float(re.match(r"[\d.]+", cell.replace("—", "0")).group()) for cell in cells)


def top1(seed: int) -> dict[tuple[str, str, str], float]:
    """What this seed scored, by model, input and test set."""
    return {
        (row["model"], row["input"], row["dataset"]): float(row["value"])
        for row in read_rows(FOLDER / "lab.csv")
        if (row["metric"], row["split"], row["seed"]) == ("top1", "a", str(seed))
    }


def test_the_shipped_models_scored_what_is_said():
    """Every shipped model has a line with both seeds, and every line is of one."""
    scored, again = top1(0), top1(1)
    expected = []
    for entry in shipped.entries():
        card = registry.card(entry["model"])
        sets = ("arid6", "weizmann", "workout4", "rendered")
        figures = (round(scored[card.name, card.input.modality, one], 1) for one in sets)
        size = round(card.parameters / 1e6, 2), float(f"{card.gmacs or 0:.1f}")
        other = again.get((card.name, card.input.modality, "arid6"))
        expected.append((*size, *figures, "" if other is None else f"({other:.1f})"))
    found = [(*numbers(cells[1:]), cells[3].partition("% ")[2]) for cells in table("model (tiny")]
    assert sorted(found) == sorted(expected)


def test_the_seeds_are_as_far_apart_as_is_said():
    first, second = top1(0), top1(1)
    apart = [abs(first[k] - second[k]) for k in first.keys() & second.keys() if k[2] == "arid6"]
    said = re.search(r"Of (\d+) networks .*? are ([\d.]+)\spoints .*?, ([\d.]+)\sat most", README)
    average = round(sum(apart) / len(apart), 1)
    assert [float(one) for one in said.groups()] == [len(apart), average, round(max(apart), 1)]


def test_every_lab_model_is_shipped():
    lab = {card.name for card in registry.cards().values() if card.size == "tiny"}
    assert {entry["model"] for entry in shipped.entries()} == lab
    assert f"All {len(lab)} of them" in README


def test_recognition_finds_what_is_said():
    """How far its figures are from those of training, and between which they lie."""
    names = {"ARID": "arid6", "Weizmann": "weizmann", "Workout": "workout4"}
    trained = top1(0)
    apart: dict[str, list[float]] = {name: [] for name in names}
    for entry in shipped.entries():
        modality = registry.card(entry["model"]).input.modality
        for one in entry["accuracy"]:
            if one["dataset"] in names:
                known = trained[entry["model"], modality, names[one["dataset"]]]
                apart[one["dataset"]].append(round(abs(one["top1"] - known), 1))
    said = re.search(
        r"within ([\d.]+) points .*?, ([\d.]+) on Weizmann .*?([\d.]+) on the", README, re.S
    )
    assert [max(apart[name]) for name in names] == [float(one) for one in said.groups()]
    arid = [o["top1"] for e in shipped.entries() for o in e["accuracy"] if o["dataset"] == "ARID"]
    assert f"SlowFast, {max(arid)} % and all at least {min(arid)} % of ARID" in README
    best = [o["top1"] for o in shipped.entry("slowfast_lab")["accuracy"] if o["dataset"] == "ARID"]
    assert best == [max(arid)]


def test_it_says_how_often_ablations_were_trained():
    asked = {(row.card.name, row.input) for question in ABLATIONS for row in question.rows}
    rows = read_rows(FOLDER / "ablations.csv")
    seeds = {(row["model"], row["input"]): row["seeds"] for row in rows}
    assert seeds.keys() == asked
    assert set(seeds.values()) == {"2"}
    assert f"(results/measured/ablations.md): {len(asked)} rows, each of two seeds." in README


def test_no_shipped_model_is_worse_than_promised():
    """On people and places it never saw: the best 97 and 60 %, none under 35 % in the dark."""
    found = [
        {one["dataset"]: one["top1"] for one in entry["accuracy"]} for entry in shipped.entries()
    ]
    assert min(row["ARID"] for row in found) >= 35
    assert any(row["ARID"] >= 60 and row["Weizmann"] >= 97 for row in found)


def test_flow_is_off_as_far_as_is_said():
    measured = {
        (row["method"], row["data"].split(",")[0], row["metric"]): float(row["value"])
        for row in read_rows(FOLDER / "flow.csv")
    }
    methods = ("still", "farneback", "dis", "tv-l1", "raft-people", "flownet-lab")
    columns = (
        ("FlyingChairs", "epe"),
        ("rendered people", "epe"),
        ("rendered people", "epe_person"),
    )
    expected = [tuple(round(measured[m, *column], 2) for column in columns) for m in methods]
    assert [numbers(cells[1:]) for cells in table("| FlyingChairs, 2 pairs")] == expected
    taken = [
        round(float(row["value"]) / 1000, 2)
        for method, device in (("raft-people", "cpu"), ("dis", "cpu"), ("raft-people", "cuda"))
        for row in read_rows(FOLDER / "flow.csv")
        if (row["method"], row["device"], row["metric"]) == (method, device, "ms_per_pair")
    ]
    said = re.search(r"It takes ([\d.]+) s for a\spair.*?([\d.]+) s,\sand ([\d.]+) s", README, re.S)
    assert [float(one) for one in said.groups()] == taken


def test_two_streams_fused_score_what_is_said():
    streams = (("spatial_stream_lab", "rgb"), ("temporal_stream_lab", "flow"))
    fused = tuple((f"two_stream_lab.{way}", "rgb+flow") for way in ("average", "svm"))
    asked = [(*run, "arid6") for run in streams + fused]
    expected = [round(top1(seed)[run], 1) for seed in (0, 1) for run in asked]
    said = README[README.index("complete each other") :].split("All rows")[0]
    assert [float(one) for one in re.findall(r"([\d.]+) %", said)] == expected
