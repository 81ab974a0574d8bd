"""Figures of the models trained here for programs: the endpoints /measured, /confusion and /curves."""

import gradio as gr

from har_demo.interface.api import endpoint
from har_demo.tables import measured as scores


@endpoint("measured", {"figures": gr.JSON})
def measured() -> list[dict]:
    """
    List the scores of every tiny model on each test set, in percent, with the spread between seeds.
    """
    return scores.as_json(scores.entries())


@endpoint("confusion", {"confusions": gr.JSON})
def confusion(model: str, dataset: str = "rendered") -> dict:
    """
    Count how often clips of each class were predicted as another by a tiny model, over all seeds.

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


@endpoint("curves", {"curves": gr.JSON})
def curves(model: str) -> list[dict]:
    """
    List the loss over the steps of each training of a tiny model, and its top-1 after the last step.

    Args:
        model: Name of a model that /measured lists.
    """
    return scores.curves_json(scores.entry(model))
