"""The main page: a clip and some models in, what each model sees and says out."""

import gradio as gr

from har_demo.interface import address, clip_input, header
from har_demo.interface.links import CROPS, FRAMES, OWN, STRIDES, WINDOWS, restore
from har_demo.interface.pages.recognize import health, offer
from har_demo.interface.pages.recognize.callbacks import (
    annotated_clip,
    run_models,
    stopped,
    window_seen,
)
from har_demo.interface.picker import picker
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, connect, on
from har_demo.models.registry import cards
from har_demo.recognize.defaults import default_models

# A press on the timeline asks for that window.
RESULTS_SCRIPT = """
element.addEventListener('click', async event => {
  const cell = event.target.closest('[data-seek]');
  if (!cell) return;
  atlas.seek(Number(cell.dataset.seek));
  const {model, window} = cell.dataset;
  const place = element.querySelector(`[data-seen="${model}"]`);
  const answer = place && await server.window_seen({asked: atlas.asked(), model, window: Number(window)});
  if (answer) place.innerHTML = answer;
});
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    answered = gr.State(None)  # the Answers on the right

    header.build()
    with gr.Row(elem_id="bench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="ask"):
            clip = clip_input.build()
            gr.HTML(fragment("parts", "step", number=2, title="Models"))
            fetching = gr.HTML("", elem_id="fetching")
            chosen = gr.HTML(picker(default_models()), elem_id="models", js_on_load=None)
            with gr.Accordion("How they look at it", open=False, elem_id="settings"):
                frames = gr.Radio(
                    _numbers("as trained", FRAMES),
                    value=OWN,
                    label="Frames in a window",
                    info="More frames show more of the action and cost more.",
                )
                stride = gr.Radio(
                    _numbers("as trained", STRIDES),
                    value=OWN,
                    label="Stride",
                    info="Steps between frames: 2 takes every second one.",
                )
                windows = gr.Radio(
                    _numbers("cover the clip", WINDOWS),
                    value=OWN,
                    label="Windows",
                    info="Moments at which each model looks, spread evenly; covering stops at ten.",
                )
                crops = gr.Radio(
                    list(zip(("centre", "three across"), CROPS, strict=True)),
                    value=1,
                    label="Crop",
                    info="The part of the picture a model sees; three views are averaged.",
                )
                published = gr.Checkbox(
                    False,
                    label="As published",
                    info="Windows, crops and their size as each model's public accuracy was measured, such as "
                    "10 × 3 views of 256 × 256: slower, and in single precision on a GPU.",
                )
                own_model = gr.Dropdown(
                    [("none", "")] + [(c.title, c.name) for c in cards().values()],
                    value="",
                    label="Your own weights for",
                    info="A safetensors file, or a PyTorch file of plain tensors.",
                )
                own_file = gr.File(
                    show_label=False,
                    label="Weights",
                    file_types=[".safetensors", ".pt", ".pth", ".pyth", ".ckpt"],
                    height=150,
                )
            with gr.Row(elem_id="go"):
                go = gr.Button("Recognise", variant="primary", size="lg", elem_id="run")
                stop = gr.Button("Stop", size="lg", elem_id="stop", min_width=80, scale=0)

        with gr.Column(scale=7, min_width=320, elem_id="answer"):
            notice = gr.HTML("", elem_id="notice")
            status = gr.HTML("", elem_id="status")  # where progress shows, beside nothing it hides
            panel = gr.HTML(
                render("recognize/empty"),
                js_on_load=RESULTS_SCRIPT,
                server_functions=[window_seen],
                elem_id="results",
            )
            with gr.Row(visible=False, elem_id="take-away") as take_away:
                json_file = gr.DownloadButton("JSON", size="sm", elem_id="json")
                csv_file = gr.DownloadButton("CSV", size="sm", elem_id="csv")
                make_video = gr.Button("Annotated clip", size="sm", elem_id="annotate")
                share = gr.Button("Copy link", size="sm", elem_id="share")
            annotated = gr.Video(
                visible=False, label="Annotated clip", interactive=False, elem_id="annotated"
            )

    health.build()

    settings = {"frames": frames, "stride": stride, "windows": windows, "crops": crops}
    restored = settings | {"published": published}
    address.keep(restored)
    outputs = {
        "notice": notice,
        "panel": panel,
        "answered": answered,
        "take_away": take_away,
        "json_file": json_file,
        "csv_file": csv_file,
        "annotated": annotated,
    }

    clip_input.connect(clip, notice)
    panel.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)
    own_model.input(
        None, own_model, None, js="name => atlas.tick(name)", api_name="tick", **PRIVATE
    )
    connect(
        go,
        stop,
        run_models,
        [clip.current, clip.video, chosen, *settings.values(), own_model, own_file, published],
        outputs,
        status,
        stopped,
        answered,
        given="(clip, video, chosen, ...rest) => [clip, video, atlas.chosen(), ...rest]",
    )
    on(
        make_video.click,
        annotated_clip,
        [answered],
        {"annotated": annotated, "notice": notice},
        show_progress_on=[annotated],
    )
    share.click(None, None, None, js="() => atlas.copyLink()", api_name="copy_link", **PRIVATE)
    page = gr.context.Context.root_block
    timer = gr.Timer(offer.SECONDS, active=False)
    offered = {"models": chosen, "fetching": fetching, "timer": timer}
    opened = on(page.load, offer.offer_models, [], offered, show_progress="hidden")
    on(opened.then, restore, [], {**clip.outputs(notice), **restored}).then(
        None, None, None, js="() => atlas.restored()", api_name="restored", **PRIVATE
    )
    on(
        timer.tick,
        offer.follow_fetching,
        [chosen],
        offered,
        js="() => [atlas.chosen()]",
        show_progress="hidden",
    ).then(None, None, None, js="() => atlas.labelRun()", api_name="label_run", **PRIVATE)


def _numbers(own: str, values: tuple[int, ...]) -> list[tuple[str, int]]:
    """Choices of a setting: the card's own first, then plain numbers."""
    return [(own if value == OWN else str(value), value) for value in values]
