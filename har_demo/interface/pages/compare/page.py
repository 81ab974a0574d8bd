"""The page that compares methods: accuracy against cost, and the table behind it."""

from dataclasses import fields
from functools import partial

import gradio as gr

from har_demo.interface import header, plots
from har_demo.interface.pages.compare.callbacks import (
    ANY,
    EVERY,
    add_rows,
    change_data_set,
    draw,
    forget_rows,
    open_row,
    restore,
    sort_by,
    take,
)
from har_demo.interface.pages.compare.selection import (
    FILTERS,
    START,
    View,
    data_sets,
    every_row,
    metrics,
    offered,
    table_rows,
)
from har_demo.interface.pages.compare.view import shown
from har_demo.interface.render import fragment, render, source
from har_demo.tables.published import COLUMNS, REQUIRED

SAVE = "file => atlasCompare.save(file)"


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    rows = every_row()
    first = shown(START, table_rows(START, rows))
    own = gr.State([])  # a visitor's rows
    sort = gr.State(START.sort)
    download = gr.JSON(visible=False)  # a file on its way to the browser's disk

    header.build()
    gr.HTML(render("compare/intro"), elem_id="compare-intro")
    notice = gr.HTML("", elem_id="notice")
    with gr.Row(elem_id="compare-what"):
        data_set = gr.Dropdown(
            [EVERY, *data_sets(rows)],
            value=START.data_set,
            label="Data set",
            elem_id="data-set",
            min_width=180,
        )
        metric = gr.Dropdown(
            [ANY, *metrics(rows, START.data_set)],
            value=START.metric,
            label="Metric",
            elem_id="metric",
            min_width=150,
        )
        numbers = gr.Radio(
            [("Published", "published"), ("Measured here", "here"), ("Both, joined", "both")],
            value=START.numbers,
            label="Sizes and costs",
            elem_id="numbers",
            min_width=320,
        )
        cost = gr.Radio(
            [("MACs", "MAC"), ("FLOPs", "FLOP")],
            value=START.cost,
            label="Counted in",
            elem_id="cost-unit",
            min_width=170,
        )
        views = gr.Radio(
            [("one view", "one"), ("all views", "all")],
            value=START.views,
            label="Cost of",
            elem_id="views",
            min_width=190,
        )
        flow = gr.Checkbox(START.flow, label="with the cost of flow", elem_id="flow", min_width=170)
        mark = gr.Textbox(
            START.mark,
            label="Highlight by name",
            placeholder="such as Swin",
            elem_id="mark",
            min_width=150,
            max_length=100,
        )
    chart = plots.build(first.chart, source("static/chart_names.js"), elem_id="chart")
    about = gr.HTML("", elem_id="about-row")
    with gr.Row(elem_id="compare-find"):
        search = gr.Textbox(
            START.search,
            label="Search",
            placeholder="words that must stand in a row",
            elem_id="search",
            min_width=220,
            max_length=100,
        )
        filters = {
            field: gr.Dropdown(
                offered(rows, column),
                value=[],
                multiselect=True,
                label=column.capitalize(),
                elem_id=f"filter-{field}",
                min_width=150,
            )
            for field, column in FILTERS.items()
        }
    with gr.Accordion("Which columns", open=False, elem_id="which-columns"):
        columns = gr.CheckboxGroup(
            list(COLUMNS), value=list(START.columns), show_label=False, elem_id="columns"
        )
    with gr.Row(elem_id="take-away"):
        as_csv = gr.Button("CSV", size="sm", elem_id="csv", min_width=90)
        as_json = gr.Button("JSON", size="sm", elem_id="json", min_width=90)
        share = gr.Button("Copy link", size="sm", elem_id="share", min_width=90)
    table = gr.HTML(
        first.table,
        js_on_load=source("pages/compare/script.js"),
        elem_id="table",
    )
    with gr.Accordion("Add rows of your own", open=False, elem_id="own-rows"):
        gr.HTML(fragment("compare/parts", "own", required=REQUIRED, columns=COLUMNS))
        pasted = gr.Textbox(
            label="Paste them here",
            lines=4,
            max_lines=12,
            placeholder="method,data set,metric,value,cost (G),parameters (M)\nMine,Kinetics-400,top-1,79.5,40,12",
            elem_id="pasted",
        )
        file = gr.File(
            label="or a CSV file",
            file_types=[".csv", ".tsv", ".txt"],
            height=110,
            elem_id="own-file",
        )
        with gr.Row():
            add = gr.Button(
                "Add them", variant="primary", size="sm", elem_id="add-rows", min_width=120
            )
            forget = gr.Button("Forget mine", size="sm", elem_id="forget-rows", min_width=120)

    by_name = {
        "data_set": data_set, "metric": metric, "cost": cost, "views": views, "flow": flow,
        "numbers": numbers, "mark": mark, "search": search, "sort": sort, "columns": columns, **filters,
    }  # fmt: skip
    controls = [by_name[field.name] for field in fields(View)]
    everything = [*controls, own]
    drawn = [chart, table]

    private = {"api_visibility": "undocumented"}
    at_once = {"queue": False, "show_progress": "hidden", **private}

    last = {"trigger_mode": "always_last", **at_once}

    for name, control in by_name.items():
        if name not in ("data_set", "sort"):
            # What is pasted into a box is a change and no input.
            happens = control.change if control in (mark, search) else control.input
            happens(draw, everything, drawn, api_name=f"compare_{name}", **last)
    data_set.input(
        change_data_set, everything, [metric, *drawn], api_name="compare_data_set", **last
    )
    table.sort_by(sort_by, everything, [sort, *drawn], api_name="compare_sort", **last)
    for pressed, name in ((table.open_row, "open_row"), (chart.point_click, "open_point")):
        pressed(open_row, own, about, api_name=name, **at_once).then(
            None,
            None,
            None,
            js="() => atlas.show('#about-row')",
            api_name=f"show_{name}",
            **private,
        )
    for button, kind in ((as_csv, "csv"), (as_json, "json")):
        button.click(
            partial(take, kind), everything, download, api_name=f"take_{kind}", **at_once
        ).then(None, download, None, js=SAVE, api_name=f"save_{kind}", **private)
    share.click(
        None, None, None, js="() => atlasCompare.copyLink()", api_name="copy_comparison", **private
    )
    add.click(
        add_rows,
        [pasted, file, *everything],
        [notice, own, *controls, *drawn],
        api_name="add_rows",
        **at_once,
    ).then(None, None, None, js="() => atlas.show('#notice')", api_name="show_notice", **private)
    forget.click(
        forget_rows,
        everything,
        [notice, own, *controls, *drawn],
        api_name="forget_rows",
        **at_once,
    )
    page = gr.context.Context.root_block
    page.load(restore, None, [notice, *controls, *drawn], api_name="restore_comparison", **at_once)
