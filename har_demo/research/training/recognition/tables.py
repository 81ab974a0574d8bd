"""Put the tables of finished runs into those of the project.

    python -m har_demo.research tabulate WORK/done --results results/measured
    python -m har_demo.research ablations

WORK/done has a folder for each finished run. Figures go to tiny.csv, confusions and curves to
confusion.csv and curves.csv; of variations, to tiny.csv alone. ablations.csv is made of tiny.csv; the
second command prints it, with the rows that are not trained yet.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from har_demo.tables.ablations import COLUMNS as ANSWER_COLUMNS
from har_demo.tables.ablations import answers, is_variation
from har_demo.tables.measured import COLUMNS, CONFUSION_COLUMNS, CURVE_COLUMNS, RUN
from har_demo.tables.rows import read_rows, write_rows


def tabulate(runs: Path, results: Path) -> int:
    """Put the runs' figures into the results, in place of older ones of the same runs; return their number."""
    results.mkdir(parents=True, exist_ok=True)
    table = results / "tiny.csv"
    rows = {_key(row): row for row in read_rows(table)} if table.exists() else {}
    finished = sorted(file.parent for file in runs.glob("*/metrics.csv"))
    for run in finished:
        rows |= {_key(row): row for row in read_rows(run / "metrics.csv")}
    write_rows(table, COLUMNS, (rows[key] for key in sorted(rows)))
    shown = [run for run in finished if not is_variation(run.name)]
    confusions = (run / "confusion.csv" for run in shown)
    curves = (run / "curve.csv" for run in shown)
    _replace_runs(results / "confusion.csv", CONFUSION_COLUMNS, confusions)
    _replace_runs(results / "curves.csv", CURVE_COLUMNS, curves)
    answered = [row for row in answers(rows.values()) if row["seeds"]]
    write_rows(results / "ablations.csv", ANSWER_COLUMNS, answered)
    return len(finished)


def _replace_runs(table: Path, columns: Sequence[str], files: Iterable[Path]) -> None:
    """Put the rows of each file, all of one run, in place of that run's rows in the table."""
    runs: dict[tuple[str, ...], list[dict]] = {}
    for row in read_rows(table) if table.exists() else []:
        runs.setdefault(_run(row), []).append(row)
    for file in files:
        if file.exists():  # fitted models have no curve, fused ones neither that nor confusions
            rows = read_rows(file)
            runs |= {_run(row): rows for row in rows[:1]}
    write_rows(table, columns, (row for key in sorted(runs) for row in runs[key]))


def _run(row: dict) -> tuple[str, ...]:
    return tuple(row[column] for column in RUN)


def _key(row: dict) -> tuple[str, ...]:
    return tuple(row[column] for column in COLUMNS[: COLUMNS.index("value")])
