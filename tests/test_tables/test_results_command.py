"""`python -m har_demo results`: the tables without a browser."""

import json

import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.tables import published, tiny
from har_demo.tables.ablations import is_variation


def run(*arguments) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["results", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def trained() -> list[str]:
    """Models of the table of measured figures; variations of them answer other questions."""
    names = [line.split(",")[0] for line in tiny.TABLE.read_text("utf-8").splitlines()[1:]]
    return [name for name in names if not is_variation(name)]


def test_rows_are_listed_and_written(tmp_path):
    file = tmp_path / "rows.csv"
    code, said, _ = run("--data-set", "Mini-Kinetics-200", "--csv", file)
    assert code == 0
    assert "MFNet-PNL (×5)" in said and "lecture, lines 122 and 600" in said
    assert file.read_text("utf-8") == (published.FOLDER / "mini_kinetics.csv").read_text("utf-8")
    code, said, _ = run("--data-set", "Rendered people", "--metric", "top-1", "--json")
    rows = json.loads(said)
    assert code == 0
    assert {row["model"] for row in rows} == set(trained())
    assert all(row["status"] == "measured" and 0 < row["value"] < 100 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data-set", "Mini"], "There is no data set 'Mini' here: take one of ARID, AVA"),
        (["--metric", "luck"], "There is no metric 'luck' here"),
        (["--search", "nobody says this"], "No row has all of that"),
        (["--csv", "/no/such/folder/x.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_had_gets_a_sentence(arguments, sentence):
    code, _, said = run(*arguments)
    assert code == 2 and sentence in said and said.count("\n") == 1


def test_runs_of_several_seeds_are_averaged(tmp_path):
    head, *lines = tiny.TABLE.read_text("utf-8").splitlines()
    one = [line for line in lines if line.startswith("c2d_lab,rgb,scratch,a,0,")]
    other = [line.replace("c2d_lab,rgb,scratch,a,0,", "c2d_lab,rgb,scratch,a,1,") for line in one]
    other = [
        ",".join([*line.split(",")[:7], "100", "55"]) if ",top1," in line else line
        for line in other
    ]

    def top1(lines):
        table = tmp_path / f"{len(lines)}.csv"
        table.write_text("\n".join([head, *lines]))
        return {row["data set"]: row for row in tiny.load(table) if row["metric"] == "top-1"}

    single, double = top1(one), top1(one + other)
    assert set(double) == set(single)
    for name, row in double.items():
        assert row.value == pytest.approx((single[name].value + 100) / 2, abs=0.11)
        assert row["note"].endswith("mean of 2 seeds.")
        assert row["counted cost (G)"] == single[name]["counted cost (G)"]
