"""Measured errors and times of the methods of optical flow: results/measured/flow.csv.

`har-demo flow --evaluate` measures them (har_demo.research.benchmarks.flow_errors).
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from har_demo.errors import ChoiceError
from har_demo.flow.field import TITLES

COLUMNS = ("method", "data", "metric", "value", "pairs", "device", "machine")
STILL = "still"
"""The answer that nothing moves: any method has to beat it."""


@dataclass(frozen=True)
class FlowScore:
    """One figure.

    Attributes:
        method: a key of TITLES, or STILL.
        data: which pairs.
        metric: epe (all points of known flow), epe_visible (those that can be seen in both pictures),
            epe_person (those of them on the person), or ms_per_pair.
        value: pixels, or milliseconds.
        pairs: how many it is from.
        device: cpu or cuda.
        machine: whose processor or GPU.
    """

    method: str
    data: str
    metric: str
    value: float
    pairs: int
    device: str
    machine: str

    @property
    def key(self) -> tuple[str, ...]:
        """Key under which a newer figure replaces an older one: errors of any machine, times of the same."""
        where = (self.machine,) if self.metric == "ms_per_pair" else ()
        return (self.method, self.data, self.metric, *where)

    def words(self) -> tuple[str, ...]:
        rounded = f"{self.value:.{1 if self.metric == 'ms_per_pair' else 3}f}"
        title = TITLES.get(self.method, "Nothing moves")
        return (title, self.data, self.metric, rounded, str(self.pairs), self.machine)


def read(file: Path) -> list[FlowScore]:
    """Read the figures of the table.

    Raises:
        ChoiceError: it is another table.
    """
    try:
        with open(file, encoding="utf-8", newline="") as opened:
            header, *lines = csv.reader(opened, strict=True)
        if tuple(header) != COLUMNS:
            raise ValueError(f"the columns are not {', '.join(COLUMNS)}")
        named = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
        return [
            FlowScore(**line | {"value": float(line["value"]), "pairs": int(line["pairs"])})
            for line in named
        ]
    except (OSError, ValueError, csv.Error) as error:
        raise ChoiceError(
            f"'{file.name}' is no table of optical flow's figures: give another file."
        ) from error
