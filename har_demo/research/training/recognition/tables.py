"""What came back from training, put into the project's tables.

    python -m har_demo.research.training.recognition.tables POSTED --runs RUNS --results results/measured
    python -m har_demo.research.training.recognition.tables --questions

POSTED holds the tar files of har_demo.research.training.recognition.outbox. Their contents go to RUNS, a folder for each
run, and what RUNS then holds into lab.csv, confusion/ and curves/ of the results; of variations, into
lab.csv alone. ablations.csv is made of lab.csv, and --questions prints it, with what is missing.
"""

import argparse
import shutil
import tarfile
from pathlib import Path

from har_demo.research.training.recognition import ablations
from har_demo.research.training.recognition.report import COLUMNS, read_rows, write_rows
from har_demo.research.training.recognition.variants import is_variation


def unpack(posted: Path, runs: Path) -> None:
    """Put the contents of all tar files into a folder."""
    runs.mkdir(parents=True, exist_ok=True)
    for file in sorted(posted.glob("*.tar*")):
        with tarfile.open(file) as tar:
            tar.extractall(runs, filter="data")


def tabulate(runs: Path, results: Path) -> int:
    """Put the runs' figures into the results, in place of older ones of the same runs; how many there are."""
    for name in ("confusion", "curves"):
        (results / name).mkdir(parents=True, exist_ok=True)
    table = results / "lab.csv"
    rows = {_key(row): row for row in read_rows(table)} if table.exists() else {}
    finished = sorted(file.parent for file in runs.glob("*/metrics.csv"))
    for run in finished:
        rows |= {_key(row): row for row in read_rows(run / "metrics.csv")}
        if is_variation(run.name):
            continue
        if (run / "curve.csv").exists():  # what is fitted has none
            shutil.copyfile(run / "curve.csv", results / "curves" / f"{run.name}.csv")
        for file in run.glob("confusion-*.csv"):
            name = file.stem.removeprefix("confusion-")
            shutil.copyfile(file, results / "confusion" / f"{run.name}-{name}.csv")
    write_rows(table, COLUMNS, (rows[key] for key in sorted(rows)))
    answered = [row for row in ablations.answers(rows.values()) if row["seeds"]]
    write_rows(results / "ablations.csv", ablations.COLUMNS, answered)
    return len(finished)


def _key(row: dict) -> tuple[str, ...]:
    return tuple(row[column] for column in COLUMNS[: COLUMNS.index("value")])


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Put trained models' figures into the tables.")
    parser.add_argument("posted", type=Path, nargs="?", help="folder with the tar files")
    parser.add_argument("--runs", type=Path, help="folder to unpack them to")
    parser.add_argument("--results", type=Path, default=Path("results/measured"))
    parser.add_argument("--questions", action="store_true", help="print the ablations")
    arguments = parser.parse_args(words)
    table = arguments.results / "lab.csv"
    if arguments.posted:
        if not arguments.runs:
            parser.error("--runs says where the tar files are unpacked to")
        unpack(arguments.posted, arguments.runs)
        print(f"{tabulate(arguments.runs, arguments.results)} runs in {table}")
    if arguments.questions:
        print(ablations.text(read_rows(table) if table.exists() else []))


if __name__ == "__main__":
    main()
