"""The published tables: what the lecture prints, what our counter finds, and a loader that is strict.

lecture_tables.tsv holds the lines of the lecture's text that are tables, with their numbers in front:
they were cut out of it by machine, so that a slip in a transcription shows.
"""

import csv
import json
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from torchvision import models as images

from har_demo.errors import TableError
from har_demo.flow.raft import raft_small
from har_demo.models.registry import card, cards
from har_demo.profiling import cost, published_costs
from har_demo.tables import published
from har_demo.tables.published import (
    COLUMNS,
    FOLDER,
    TABLES,
    PublishedRow,
    as_csv,
    chosen,
    load,
    parse,
)

HERE = Path(__file__).parent
ROWS = load()
LINES = dict(
    line.split("\t", 1) for line in (HERE / "lecture_tables.tsv").read_text("utf-8").splitlines()
)
PLACE = re.compile(r"lecture, lines? (\d+)(?: and (\d+))?(?:; parameters and input of line (\d+))?")


# What the lecture prints


def printed(line: str) -> list[float]:
    """The numbers of the cells of a table's line, the method's name left out."""
    found = []
    for cell in LINES[line].split("\t")[1:]:
        plain = re.sub(r"<.*?>|\\times|\\text\{.*?\}|[$%>]|rgb|flow", " ", cell)
        if re.fullmatch(r"[\d.,\sMGs]+", plain):
            found += map(float, re.findall(r"\d+(?:\.\d+)?", plain))
    return sorted(found)


def places(row: PublishedRow) -> tuple[str | None, ...]:
    """The lines a row stands in, twice where the lecture prints the table twice, and its size's line."""
    return PLACE.fullmatch(row["place"]).groups()


LECTURE = [row for row in ROWS if row.table != "zoo"]


def test_every_number_of_the_lectures_tables_is_there_and_no_other():
    told: dict[str, list[float]] = {}
    for row in LECTURE:
        first, second, sizes = places(row)
        numbers = [row["value"]] * bool(row["value"])
        if not sizes:
            numbers += [row["parameters (M)"], row["cost (G)"], *row["views"].split(" × ")]
        for line in filter(None, (first, second)):
            told.setdefault(line, []).extend(map(float, filter(None, numbers)))
    for line, numbers in told.items():
        if line in ("394", "399", "401"):  # a sentence, not a row of a table
            assert f"{numbers[0]} GFLOP" in LINES[line]
        else:
            assert set(numbers) == set(printed(line)), f"line {line}: {LINES[line]}"
    inputs = {str(line) for line in range(435, 440)}
    assert set(told) == set(LINES) - inputs


def test_methods_are_called_as_in_the_lecture():
    for row in LECTURE:
        line = LINES[places(row)[0]]
        name = row["method"].replace("(×", "(x").split(",")[0].split(" (Inception")[0]
        if row.table in ("karpathy_groups", "db_lstm") or "NL I3D (" in name:
            continue
        assert name in line, (row["method"], line)


def test_i3d_s_inputs_are_the_lectures():
    rows = list(csv.reader((FOLDER / "i3d_inputs.csv").open(encoding="utf-8")))
    for method, *numbers, place in rows[1:]:
        line = PLACE.fullmatch(place).group(1)
        assert LINES[line].startswith(method)
        assert sorted(float(n) for c in numbers for n in re.findall(r"[\d.]+", c)) == printed(line)
    # The rows of the comparison that repeat size and input say what stands here.
    sizes = {row[-1].split()[-1]: row for row in rows[1:]}
    repeated = [row for row in ROWS if row.table == "i3d" and row["parameters (M)"]]
    assert len(repeated) == 5 * 3
    for row in repeated:
        _, size, *_, tested, _, _ = sizes[places(row)[2]]
        assert (row["parameters (M)"], row["input"]) == (size, tested)


@pytest.mark.parametrize(
    ("table", "count", "line", "what", "number"),
    [
        ("karpathy_groups", 18, 163, {"pre-training": "none"}, 0.57),
        ("two_stream", 15, 281, {"data set": "HMDB51"}, 54.6),
        ("c3d", 10, 369, {}, 82.3),
        ("db_lstm", 4, 247, {"data set": "HMDB51"}, 87.64),
        ("i3d", 33, 447, {"data set": "miniKinetics", "modality": "flow"}, 69.6),
        ("sports_1m", 18, 490, {"metric": "video@5"}, 92.8),
        ("non_local", 23, 572, {"metric": "average of top-1 and top-5"}, 83.8),
        ("mini_kinetics", 14, 122, {}, 83.09),
        ("kinetics_400", 27, 635, {"metric": "top-5"}, 96.7),
    ],
)
def test_a_table_has_its_rows_and_a_number_in_its_place(table, count, line, what, number):
    rows = [row for row in ROWS if row.table == table]
    assert len(rows) == count
    here = [row for row in rows if places(row)[0] == str(line)]
    assert [r.value for r in here if all(r[k] == v for k, v in what.items())] == [number]


# What is verified, and what is counted again

COUNTED = re.compile(r"(?:(\d+) × )?(\w+)(?:, (\d+) × (\d+))?, (\d+) classes")


def counted(said: str) -> tuple[float, float | None]:
    """Parameters and GMACs, in 10⁶ and 10⁹, of what a row says was counted."""
    if said.startswith("torchvision"):
        with torch.device("meta"):
            network = getattr(images, said.split()[1].strip(","))()
        return cost.parameters(network) / 1e6, cost.gmacs(network, (1, 3, 224, 224))
    times, model, frames, side, classes = COUNTED.fullmatch(said).groups()
    spec = card(model).input
    asked = int(frames or spec.frames), int(side or spec.crop[0])
    times = int(times or 1)
    if not frames:  # of its size alone, which takes no forward pass
        network = published_costs.meta_network(card(model), int(classes))
        return times * cost.parameters(network) / 1e6, None
    parameters, gmacs = published_costs.count(card(model), int(classes), *asked)
    return times * parameters / 1e6, times * gmacs


def recount_these() -> set[str]:
    """What stands behind a cost that is called verified, or behind an erratum's true numbers."""
    return {
        row["counted as"]
        for row in ROWS
        if row["counted as"] and (row["cost status"] == "verified" or row.errata)
    }


def one_of_each_family() -> set[str]:
    """Of what is counted again, the last of each family; the table of costs holds the others' rows."""
    of_family: dict[str, str] = {}
    for said in sorted(recount_these()):
        found = COUNTED.fullmatch(said)
        of_family[card(found[2]).family if found else said] = said
    return set(of_family.values())


ONE_OF_EACH_FAMILY = one_of_each_family()


@pytest.mark.parametrize(
    "said",
    [
        said if said in ONE_OF_EACH_FAMILY else pytest.param(said, marks=pytest.mark.nightly)
        for said in sorted(recount_these())
    ],
)
def test_a_counted_cost_is_what_our_counter_finds(said):
    parameters, gmacs = counted(said)
    for row in ROWS:
        if row["counted as"] != said:
            continue
        assert row["counted parameters (M)"] == f"{parameters:.2f}"
        assert row.number("counted cost (G)") == (
            None if gmacs is None else pytest.approx(gmacs, abs=0.006)
        )


def test_the_other_counts_agree_with_the_table_of_costs():
    """results/measured/costs.csv counts the same networks for their own classes: the head differs."""
    table = (FOLDER.parent / "measured/costs.csv").open(encoding="utf-8")
    known = {
        (row["model"], row["frames × side"]): float(row["GMACs"] or 0)
        for row in csv.DictReader(table)
    }
    checked = 0
    for row in ROWS:
        _, model, frames, side, _ = (
            COUNTED.fullmatch(row["counted as"]).groups()
            if (COUNTED.fullmatch(row["counted as"]))
            else (None,) * 5
        )
        if frames and known.get((model, f"{frames} × {side}")):
            near = known[model, f"{frames} × {side}"] * (2 if row["counted as"][0] == "2" else 1)
            assert row.number("counted cost (G)") == pytest.approx(near, rel=0.03), row.id
            checked += 1
    assert checked > 150


def test_a_verified_cost_agrees_and_no_other_one_that_agrees_is_left_out():
    for row in ROWS:
        pairs = [
            (row.number("parameters (M)"), row.number("counted parameters (M)")),
            (row.gmacs, row.number("counted cost (G)")),
        ]
        pairs = [(theirs, ours) for theirs, ours in pairs if theirs is not None]
        agrees = bool(pairs) and all(
            ours and abs(theirs / ours - 1) <= 0.005 for theirs, ours in pairs
        )
        assert row["cost status"] == ("verified" if agrees else "printed" if pairs else ""), row.id


def test_a_verified_value_stands_in_a_second_source():
    for row in ROWS:
        if row["status"] != "verified":
            continue
        seconds = [
            other
            for other in ROWS
            if other["source"] != row["source"]
            and all(other[c] == row[c] for c in ("model", "data set", "metric"))
            and other.value == row.value
            and (not other["split"] or not row["split"] or other["split"] == row["split"])
        ]
        assert seconds, row.id


@pytest.mark.parametrize("pictures", [128, pytest.param(224, marks=pytest.mark.nightly)])
def test_the_cost_of_flow_is_rafts(pictures):
    """Fields of a view, times RAFT (small) on pictures of its side, of which 128 is the least."""
    found = {}
    for row in ROWS:
        if row["flow (G)"]:
            _, model, frames, side, _ = COUNTED.fullmatch(row["counted as"]).groups()
            found[model, int(frames), max(int(side), 128)] = row.number("flow (G)")
    assert len(found) >= 6 and {side for _, _, side in found} == {128, 224}
    for (model, frames, side), said in found.items():
        if side != pictures:
            continue
        spec = card(model).input
        fields = spec.flow_frames * frames // spec.frames or frames
        assert said == pytest.approx(fields * raft(side), abs=0.06), model


@cache
def raft(side: int) -> float:
    """GMACs of one field of flow."""
    with torch.device("meta"):
        network = raft_small()
    return cost.gmacs(network, *[(1, 3, side, side)] * 2)


def test_the_zoos_figures_are_those_of_the_cards():
    """Every figure of a public file has its row, and no row of such a file has another figure."""
    zoo = [row for row in ROWS if row.table == "zoo" and row["metric"] in ("top-1", "top-5")]
    rows = {(row["model"], row["data set"], row["metric"], row.value) for row in zoo}
    known = {
        (c.name, a.dataset, metric, value)
        for c in cards().values()
        for s in c.sources
        for a in s.accuracy
        for metric, value in (("top-1", a.top1), ("top-5", a.top5))
        if value is not None
    }
    assert len(known) > 120
    assert sorted(known - rows) == []
    stated = {"mmaction2 model zoo", "pytorchvideo model zoo", "PySlowFast model zoo"}
    of_files = {
        (row["model"], row["data set"], row["metric"], row.value)
        for row in zoo
        if row["source"] in (*stated, "torchvision model zoo", "mit-han-lab/temporal-shift-module")
    }
    assert sorted(of_files - known) == []


def test_models_families_and_files_are_known():
    families = {c.family for c in cards().values()} | {"2D image network"}
    for row in ROWS:
        assert row["model"] == "" or row["model"] in cards(), row.id
        assert row["family"] in families, row.id
        if row["model"]:
            assert row["family"] == card(row["model"]).family, row.id
        assert row["cost of"] == ("one view" if row["cost (G)"] else "")
    others = {"c3d_layers", "datasets", "flow", "i3d_inputs"}
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(TABLES) | others


# The loader

GOOD = dict.fromkeys(COLUMNS, "") | {
    "method": "One",
    "data set": "UCF101",
    "metric": "top-1",
    "value": "50.5",
    "source": "somebody",
    "place": "somewhere",
    "status": "printed",
}


def table(**changes) -> str:
    row = GOOD | {name.replace("_", " "): cell for name, cell in changes.items()}
    lines = [list(COLUMNS), list(GOOD.values()), list(row.values())]
    return "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"method": ""}, "'method' is empty"),
        ({"value": "much"}, "'value' is 'much', which is no plain number"),
        ({"value": "nan"}, "no plain number"),
        ({"value": "1e400"}, "no plain number"),
        ({"value": "100.5"}, "not between 0 and 100"),
        ({"value": ""}, "neither a value nor a size nor a cost"),
        ({"year": "20170"}, "not between 1950 and 2100"),
        ({"year": "2017.5"}, "'year' is 2017.5"),
        ({"status": "sure"}, "'status' is 'sure' and not of printed"),
        ({"status": ""}, "'status' is empty"),
        ({"source": ""}, "'source', 'place' or 'status' is empty"),
        ({"convention": "MAC"}, "a cost and its convention go together"),
        ({"cost (G)": "3"}, "a cost and its convention go together"),
        ({"input": "many frames"}, "'input' is 'many frames'"),
        ({"views": "0 × 3"}, "'views' is '0 × 3'"),
        ({"modality": "smell"}, "'modality' is 'smell'"),
        ({"erratum": "E99"}, "'erratum' is 'E99'"),
        ({"note": "x" * 301}, "'note' has 301 letters"),
        ({"note": "a\x00b"}, "cannot be shown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_row_is_named_with_its_table_and_line(changes, sentence):
    with pytest.raises(TableError, match=r"^zoo, line 3: ") as caught:
        parse(table(**changes), "zoo", tuple(COLUMNS))
    assert sentence in str(caught.value)


def test_a_bad_file_is_named(tmp_path):
    for name in TABLES:
        (tmp_path / f"{name}.csv").write_text(",".join(COLUMNS))
    (tmp_path / "i3d.csv").write_text(table(value="x"))
    with pytest.raises(TableError, match="i3d, line 3"):
        load(tmp_path)
    (tmp_path / "i3d.csv").write_text("method,value\n")
    with pytest.raises(TableError, match="i3d, line 1: the columns are not method, model"):
        load(tmp_path)


HEADER = "method,data set,metric,value"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'method' is missing"),
        ("hello", "no column 'hello'"),
        (HEADER, "no row under the header"),
        ("method,data set,metric\na,b,c", "the column 'value' is missing"),
        ("method,method,data set,metric,value\na,a,b,c,1", "stands there twice"),
        (f"{HEADER}\na,b,c", "line 2: 3 cells instead of 4"),
        (f"{HEADER}\na,b,c,1\n\na,,c,1", "line 4: 'data set' is empty"),
        (f'{HEADER}\n"a,b,c,1', "line 2"),
        (HEADER + "\na,b,c,1" * 501, "line 502: more than 500 rows"),
        (f"{HEADER}\n{'x' * 200_000},b,c,1", "larger than 200 kB"),
        (f"{HEADER}\n{'x' * 150_000},b,c,1", "line 2"),
        (f"{HEADER}\na,b,c,\u0661", "no plain number"),
        (f"{HEADER}\n\u202egpj,b,c,1", "cannot be shown"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_visitors_bad_table_gets_one_sentence(text, sentence):
    with pytest.raises(TableError) as caught:
        parse(text)
    assert sentence in str(caught.value) and str(caught.value).endswith(".")


def test_a_visitors_table_needs_few_columns_in_any_order_and_cannot_verify_itself():
    text = "\ufeffvalue;metric;method;data set;cost (G);status\r\n61;top-1;Mine;UCF101;2,5;verified"
    with pytest.raises(TableError, match=r"'cost \(G\)' is '2,5'"):
        parse(text)
    (row,) = parse(text.replace("2,5", "2.5"))
    assert row["method"] == "Mine" and row.value == 61 and row.gmacs == 2.5
    assert (row["status"], row["cost status"]) == ("unverified", "printed")
    assert (row["convention"], row["source"], row.id) == ("MAC assumed", "your own row", "yours:2")
    again = parse(as_csv(ROWS[60:70]))  # a file that was taken away may come back
    assert all(not row["counted cost (G)"] and row["status"] == "unverified" for row in again)
    (half,) = parse(f"{HEADER},cost (G),convention\na,b,c,1,8,FLOP")
    assert half.gmacs == 4


def test_what_is_written_is_read_again_and_formulas_are_defused():
    assert tuple(parse(as_csv(ROWS[:60]), "again", tuple(COLUMNS))[9].words) == ROWS[9].words
    for name in TABLES:
        rows = [row for row in ROWS if row.table == name]
        assert as_csv(rows) == (FOLDER / f"{name}.csv").read_text("utf-8")
    cells = ["=1+1", "+1", "-1", "@x", "plain"]
    rows = parse(f"{HEADER}\n" + "\n".join(f"{cell},b,c,1" for cell in cells))
    assert as_csv(rows, ["method"]).split() == ["method", "'=1+1", "'+1", "'-1", "'@x", "plain"]
    assert json.loads(json.dumps(published.as_records(ROWS[:1])))[0]["value"] == ROWS[0].value


def test_rows_are_chosen_by_what_they_say():
    found = chosen(ROWS, "Kinetics-400", "top-1", "swin-b", {"pre-training": ["ImageNet-21K"]})
    assert {(row["method"], row["pre-training"]) for row in found} == {("Swin-B", "ImageNet-21K")}
    assert chosen(ROWS, among={"year": []}) == list(ROWS)
    assert not chosen(ROWS, search="nobody says this")


def test_views_are_multiplied():
    (row,) = chosen(ROWS, "Kinetics-400", "top-1", "line 635")
    assert row.views == 50
