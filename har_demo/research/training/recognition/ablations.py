"""The ablations of har_demo.tables.ablations as text: what their rows scored, and what is not trained yet."""

import textwrap
from collections.abc import Iterable

from har_demo.research.training.recognition.variants import can_be_trained, card_of
from har_demo.tables.ablations import ABLATIONS, FIGURES, answers


def text(measured: Iterable[dict]) -> str:
    """Return all questions and rows as lines to read: what was scored, and what is not there yet."""
    rows = iter(answers(measured))
    lines = []
    for ablation in ABLATIONS:
        lines += textwrap.wrap(f"{ablation.name}: {ablation.question}", 100)
        lines.append(_line("", HEAD))
        for row in ablation.rows:
            answer = next(rows)
            if answer["seeds"]:
                known = (answer["parameters"], answer["gmacs"])
                cells = [str(answer["seeds"]), *(_figure(answer, name) for name in FIGURES)]
            else:
                card = card_of(row.model)
                known = (card.parameters, card.gmacs)
                cells = ["none yet" if can_be_trained(row) else "cannot be trained yet"]
            shown = f"{row.model} {row.input}", f"{known[0] / 1e6:.2f} M", f"{known[1]:.2f} G"
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
