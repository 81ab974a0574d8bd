"""The tables of published and measured accuracies for programs: the endpoint /published."""

import gradio as gr

from har_demo.interface.api import endpoint
from har_demo.interface.pages.compare.selection import every_row
from har_demo.tables import published


@endpoint("published", {"rows": gr.JSON})
def list_published(data_set: str = "", metric: str = "", search: str = "") -> list[dict]:
    """
    List what is published or measured here of action recognition: accuracies with cost and source.

    Args:
        data_set: One data set, such as "Kinetics-400" or "UCF101"; leave empty for all.
        metric: One metric, such as "top-1"; leave empty for all.
        search: Words that must all stand in a row, such as "swin imagenet-21k"; leave empty for all.
    """
    return published.as_records(published.find_rows(every_row(), data_set, metric, search))
