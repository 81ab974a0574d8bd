"""Scores and confusions of the models trained here, for programs: the endpoints /measured and /confusion."""

import gradio as gr

from har_demo.interface.api import endpoint
from har_demo.tables import measured as scores


@endpoint("measured", {"figures": gr.JSON})
def measured() -> list[dict]:
    """
    List what every lab-size model scored here, on each test set, in percent, with the spread between seeds.
    """

    return scores.as_json(scores.entries())


@endpoint("confusion", {"confusions": gr.JSON})
def confusion(model: str, dataset: str = "rendered") -> dict:
    """
    Count what a lab-size model answered about the clips of each class, over all seeds.

    Args:
        model: Name of a model that /measured lists.
        dataset: arid6, weizmann, workout4 or rendered.
    """

    table = scores.confusion(scores.entry(model), dataset)
    if table is None:
        return {"model": model, "dataset": dataset, "counts": {}}
    counts = {
        true: {name: int(n) for name, n in zip(table.predicted, row, strict=True) if n}
        for true, row in zip(table.true, table.counts, strict=True)
    }
    return {"model": model, "dataset": dataset, "seeds": table.seeds, "counts": counts}
