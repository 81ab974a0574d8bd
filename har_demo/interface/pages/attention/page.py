"""The Attention page: attention maps of a place in a frame, and class activation maps with their tests."""

import gradio as gr

from har_demo.interface import address, clip_input, header, plots
from har_demo.interface.pages.attention.callbacks import (
    array_of_attention,
    array_of_class,
    ask_model,
    ask_place,
    change_block,
    change_class,
    offer_models,
    picture_of_attention,
    picture_of_class,
    redraw,
    restore_attention,
    stopped,
    trust_class,
)
from har_demo.interface.pages.attention.view import METHOD_CHOICES, missing_models, model_choices
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, connect, on

# A press gives a moment and a place as shares; arrow keys move the query cell on the block's own grid.
FRAMES_SCRIPT = """
const strip = () => element.querySelector('.frames');
const ask = at => trigger('pick', {at});
let wanted = [0, 0, 0], moved = -Infinity;
element.addEventListener('click', event => {
  moved = -Infinity;
  const place = strip();
  if (!place) return;
  const box = place.getBoundingClientRect();
  const {columns, rows, count} = place.dataset;
  const x = ((event.clientX - box.left) / box.width) * columns;
  const y = ((event.clientY - box.top) / box.height) * rows;
  const frame = Math.floor(y) * columns + Math.floor(x);
  if (frame < 0 || frame >= count) return;
  place.focus({preventScroll: true});
  ask([(frame + 0.5) / count, y % 1, x % 1]);
});
const steps = {ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0]};
const later = {ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0]};
element.addEventListener('keydown', event => {
  const over = document.querySelector('#overlay svg');
  const step = (event.shiftKey ? later : steps)[event.key];
  if (!over || !step || !strip()) return;
  event.preventDefault();
  const grid = over.dataset.grid.split(',').map(Number);
  // Keys come faster than answers: a key goes on from where the one before it went.
  if (event.timeStamp - moved > 1500) wanted = over.dataset.query.split(',').map(Number);
  moved = event.timeStamp;
  wanted = wanted.map((n, axis) => Math.min(Math.max(n + step[axis], 0), grid[axis] - 1));
  ask(wanted.map((n, axis) => (n + 0.5) / grid[axis]));
});
"""
SMOOTH = "smooth => { document.body.classList.toggle('smooth-cells', smooth); }"


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    look = gr.State(None, time_to_live=3600)  # the Look on the right
    at = gr.State(None)  # who asks, as shares (t, y, x)

    header.build()
    with gr.Row(elem_id="bench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="ask"):
            clip = clip_input.build()
            gr.HTML(fragment("parts", "step", number=2, title="Model"))
            choices = model_choices()
            model = gr.Dropdown(
                choices,
                value=choices[0][1] if choices else None,
                label="Model",
                info="Those whose weights are here; first those with attention between places.",
                elem_id="model",
            )
            missing = gr.HTML(missing_models(), elem_id="missing")
            with gr.Accordion("Which moment", open=False, elem_id="settings"):
                second = gr.Number(
                    None,
                    label="Seconds into the clip",
                    info="Empty for the middle. A model sees a window of a few seconds.",
                    minimum=0,
                    step=0.1,
                    elem_id="second",
                )
            with gr.Row(elem_id="go"):
                go = gr.Button("Look", variant="primary", size="lg", elem_id="run")
                stop = gr.Button("Stop", size="lg", elem_id="stop", min_width=80, scale=0)

        with gr.Column(scale=7, min_width=320, elem_id="answer"):
            notice = gr.HTML("", elem_id="notice")
            status = gr.HTML("", elem_id="status")
            verdict = gr.HTML(render("attention/empty"), elem_id="results")
            with gr.Column(visible=False, elem_id="where-part") as where:
                gr.HTML(
                    fragment(
                        "parts",
                        "heading",
                        title="Attention map",
                        hint="press a place in any frame to see where it attends; arrow keys move it, with Shift through time",
                    )
                )
                with gr.Row(elem_classes="selectors"):
                    block = gr.Dropdown([], label="Block", min_width=180, elem_id="block")
                    head = gr.Dropdown([], label="Head", min_width=120, elem_id="head")
                    level = gr.Radio([], label="Regions of the pyramid", elem_id="level")
                function = gr.Radio([], label="Pairwise function f", elem_id="function")
                difference = gr.Checkbox(
                    False, label="Show what this function changes", elem_id="difference"
                )
                with gr.Column(elem_id="attention-strip"):
                    frames = gr.HTML("", js_on_load=FRAMES_SCRIPT, elem_id="frames")
                    overlay = gr.HTML("", elem_id="overlay")
                scores = gr.HTML("", elem_id="scores")
                with gr.Row(elem_classes="selectors"):
                    lines = gr.Slider(
                        0,
                        24,
                        value=8,
                        step=1,
                        label="Lines to the strongest cells",
                        elem_id="lines",
                    )
                    smooth = gr.Checkbox(
                        False,
                        label="Smooth the cells",
                        info="Prettier, and finer than the model knows.",
                        elem_id="smooth",
                    )
                with gr.Row(elem_classes="chips"):
                    attention_png = gr.Button("Picture (PNG)", size="sm", elem_id="attention-png")
                    attention_npz = gr.Button("Array (NPZ)", size="sm", elem_id="attention-npz")
            with gr.Column(visible=False, elem_id="class-part") as spoke:
                gr.HTML(
                    fragment(
                        "parts",
                        "heading",
                        title="Class activation map (Grad-CAM)",
                        hint="when and where the model found an action",
                    )
                )
                with gr.Row(elem_classes="selectors"):
                    name = gr.Dropdown([], label="Action", min_width=180, elem_id="class-name")
                    method = gr.Dropdown(
                        METHOD_CHOICES, label="Method", min_width=180, elem_id="method"
                    )
                class_map = gr.HTML("", elem_id="class-map")
                with gr.Row(elem_classes="chips"):
                    trust = gr.Button(
                        "Can this map be trusted?", size="sm", variant="primary", elem_id="trust"
                    )
                    class_png = gr.Button("Picture (PNG)", size="sm", elem_id="class-png")
                    class_npz = gr.Button("Array (NPZ)", size="sm", elem_id="class-npz")
                    share = gr.Button("Copy link", size="sm", elem_id="share")
                trust_status = gr.HTML("", elem_id="trust-status")
                curves = plots.build(elem_id="curves")
            file = gr.DownloadButton("File", visible="hidden", elem_id="file")

    quick = {
        "trigger_mode": "always_last",
        "show_progress": "hidden",
    }
    clip_input.connect(clip, notice)
    verdict.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)
    smooth.change(None, smooth, None, js=SMOOTH, api_name="smooth_cells", **PRIVATE)

    drawn = {"overlay": overlay, "scores": scores}
    selectors = {"head": head, "level": level, "function": function, "difference": difference}
    maps = {"class_map": class_map, "curves": curves}
    connect(
        go,
        stop,
        ask_model,
        [clip.current, clip.video, model, second],
        {
            "notice": notice,
            "verdict": verdict,
            "look": look,
            "at": at,
            "where": where,
            "block": block,
            **selectors,
            "frames": frames,
            **drawn,
            "spoke": spoke,
            "name": name,
            "method": method,
            **maps,
        },
        status,
        stopped,
        look,
    )
    settings = [look, at, block, *selectors.values(), lines]
    on(
        frames.pick,
        ask_place,
        settings,
        {"at": at, **drawn},
        # One after another and none left out: 'always_last' would ask for the first place again.
        trigger_mode="multiple",
        show_progress="hidden",
    )
    on(block.input, change_block, [look, at, block, lines], {**selectors, **drawn}, **quick)
    for control, label in (
        *((head.input, "head"), (level.input, "level"), (function.input, "function")),
        *((difference.input, "difference"), (lines.change, "lines")),
    ):
        on(control, redraw, settings, drawn, api_name=f"redraw_{label}", **quick)
    chosen = [look, name, method]
    for control, label in ((name, "class"), (method, "method")):
        on(control.input, change_class, chosen, maps, api_name=f"change_{label}", **quick)
    on(
        trust.click,
        trust_class,
        chosen,
        {"curves": curves},
        show_progress_on=[trust_status],
    )
    for button, make, inputs, label in (
        (attention_png, picture_of_attention, settings, "attention_png"),
        (attention_npz, array_of_attention, settings, "attention_npz"),
        (class_png, picture_of_class, chosen, "class_png"),
        (class_npz, array_of_class, chosen, "class_npz"),
    ):
        on(
            button.click,
            make,
            inputs,
            {"file": file, "notice": notice},
            api_name=label,
            show_progress="hidden",
        ).then(
            None,
            None,
            None,
            js="() => atlas.fetchFile('#file')",
            api_name=f"fetch_{label}",
            **PRIVATE,
        )
    page = gr.context.Context.root_block
    share.click(None, None, None, js="() => atlas.copyLink()", api_name="copy_link", **PRIVATE)
    question = {"model": model, "second": second}
    address.keep(question)
    offered = page.load(
        offer_models,
        model,
        [model, missing],
        api_name="offer_lookers",
        queue=False,
        show_progress="hidden",
        **PRIVATE,
    )
    on(offered.then, restore_attention, [], {**clip.outputs(notice), **question}).then(
        None, None, None, js="() => atlas.restored()", api_name="restored", **PRIVATE
    )
