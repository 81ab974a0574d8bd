"""The questions of har_demo.research.training.recognition.variants with what their rows scored: a table, and a text to read.

The figures are of split a, so that every row was tested on the same clips. A row is the mean over seeds,
with the deviation between them where there are two or more.
"""

import statistics
import textwrap
from collections.abc import Iterable

from har_demo.research.training.recognition.variants import ABLATIONS, Row, can_be_trained, card_of

SPLIT = "a"
FIGURES = {
    "rendered": ("rendered", "top1"),
    "weizmann": ("weizmann", "top1"),
    "arid6": ("arid6", "top1"),
    "workout4": ("workout4", "top1"),
    "rendered_order": ("rendered", "order"),
}
"""Column → test set and metric of har_demo.research.training.recognition.report, in percent."""

COLUMNS = (
    "question",
    "label",
    "model",
    "input",
    "parameters",
    "gmacs",
    "seeds",
    *(column for name in FIGURES for column in (name, f"{name}_spread")),
)


def answers(measured: Iterable[dict]) -> list[dict]:
    """Every row of every question, COLUMNS to values, from the rows of lab.csv.

    Where no run is finished `seeds` is 0 and there are no figures.
    """
    measured = [row for row in measured if row["split"] == SPLIT]
    return [
        {"question": question.name, "label": row.label} | _answer(row, measured)
        for question in ABLATIONS
        for row in question.rows
    ]


def _answer(row: Row, measured: list[dict]) -> dict:
    own = [m for m in measured if (m["model"], m["input"]) == (row.card.name, row.input)]

    def values(dataset: str, metric: str) -> list[float]:
        found = (m for m in own if (m["dataset"], m["metric"]) == (dataset, metric))
        return [float(m["value"]) for m in found]

    answer = {
        "model": row.card.name,
        "input": row.input,
        "seeds": len({m["seed"] for m in own}),
    }
    if own:
        answer["parameters"] = round(values("", "parameters")[0])
        answer["gmacs"] = values("", "gmacs")[0]
    for name, (dataset, metric) in FIGURES.items():
        if found := values(dataset, metric):
            answer[name] = round(statistics.mean(found), 1)
        if len(found) > 1:
            answer[f"{name}_spread"] = round(statistics.stdev(found), 1)
    return answer


def text(measured: Iterable[dict]) -> str:
    """All questions and rows as lines to read: what was scored, and what is not there yet."""
    rows = iter(answers(measured))
    lines = []
    for question in ABLATIONS:
        lines += textwrap.wrap(f"{question.name}: {question.asks}", 100)
        lines.append(_line("", HEAD))
        for row in question.rows:
            answer = next(rows)
            if answer["seeds"]:
                known = (answer["parameters"], answer["gmacs"])
                cells = [str(answer["seeds"]), *(_figure(answer, name) for name in FIGURES)]
            else:
                known = (card_of(row.card.name).parameters, card_of(row.card.name).gmacs)
                cells = ["none yet" if can_be_trained(row) else "cannot be trained yet"]
            shown = f"{row.card.name} {row.input}", f"{known[0] / 1e6:.2f} M", f"{known[1]:.2f} G"
            lines.append(_line(row.label, [*shown, *cells]))
        lines.append("")
    return "\n".join(lines)


HEAD = ("model, input", "size", "cost", "seeds", *FIGURES)
WIDTHS = (32, 8, 8, 5, *(14 for _ in FIGURES))


def _line(label: str, cells: Iterable[str]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=False))
    return f"  {label:<30}{'  '.join(padded)}".rstrip()


def _figure(answer: dict, name: str) -> str:
    """'71.2 ± 0.8', without a deviation where there is one seed, '-' where nothing was tested."""
    if name not in answer:
        return "-"
    spread = answer.get(f"{name}_spread")
    return f"{answer[name]:.1f}" + (f" ± {spread:.1f}" if spread is not None else "")
