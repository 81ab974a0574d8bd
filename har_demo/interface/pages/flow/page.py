"""The page for optical flow: a clip in, how everything in it moves, and what networks make of that."""

import gradio as gr

from har_demo.flow.field import TITLES
from har_demo.flow.look import LONGEST
from har_demo.flow.views import METHOD
from har_demo.interface import address, clip_input, header
from har_demo.interface.pages.flow.callbacks import (
    ALONE,
    SEEN_BY,
    SHORTEST,
    about,
    ask_streams,
    first_beside,
    make_files,
    offer,
    restore_flow,
    see_as,
    show_motion,
    show_pair,
    stopped,
    take_off,
    weigh,
)
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, connect, on

# A press on a moment goes there in the clip and asks for its pair of frames.
PAIR_SCRIPT = """
element.addEventListener('click', event => {
  const cell = event.target.closest('[data-pair]');
  if (!cell) return;
  atlas.seek(Number(cell.dataset.seek));
  trigger('pick', {pair: Number(cell.dataset.pair)});
});
"""

# How much of the frame covers its flow.
WIPE_SCRIPT = """
const wipe = range => range.parentElement.style.setProperty('--cut', `${range.value}%`);
const wipes = () => element.querySelectorAll('.wipe input').forEach(wipe);
element.addEventListener('input', event => event.target.matches('.wipe input') && wipe(event.target));
watch('value', wipes);
wipes();
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    answered = gr.State(None)  # the OnPage on the right
    both = gr.State(None)  # the Fusable below it
    second = first_beside()

    header.build()
    with gr.Row(elem_id="bench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="ask"):
            clip = clip_input.build()
            gr.HTML(fragment("parts", "step", number=2, title="Optical flow"))
            with gr.Row():
                method = gr.Dropdown(
                    [(TITLES[METHOD], METHOD)],
                    value=METHOD,
                    label="Method",
                    min_width=200,
                    elem_id="method",
                )
                beside = gr.Dropdown(
                    [("nothing", ALONE), *[(TITLES[name], name) for name in (second,) if name]],
                    value=second,
                    label="Compare with",
                    min_width=200,
                    elem_id="beside",
                )
            told = gr.HTML(about(METHOD, second), elem_id="about-methods")
            with gr.Row():
                start = gr.Number(
                    0, label="Start", info="Seconds.", minimum=0, min_width=110, elem_id="start"
                )
                seconds = gr.Slider(
                    SHORTEST,
                    LONGEST,
                    value=4,
                    step=0.1,
                    label="Duration",
                    info="Seconds; up to 32 pairs of frames are looked at.",
                    min_width=180,
                    elem_id="seconds",
                )
            with gr.Row(elem_id="go"):
                go = gr.Button("Show the motion", variant="primary", size="lg", elem_id="run")
                stop = gr.Button("Stop", size="lg", elem_id="stop", min_width=80, scale=0)

        with gr.Column(scale=7, min_width=320, elem_id="answer"):
            notice = gr.HTML("", elem_id="notice")
            status = gr.HTML("", elem_id="status")
            panel = gr.HTML(render("flow/empty"), js_on_load=PAIR_SCRIPT, elem_id="results")
            with gr.Row(visible=False, elem_id="flow-reading") as reading:
                without = gr.Checkbox(
                    False,
                    label="Remove camera motion",
                    info="The motion that most of the picture shares, as a homography.",
                    min_width=220,
                    elem_id="without-camera",
                )
                seen_by = gr.Radio(
                    [(title, name) for name, title in SEEN_BY.items()],
                    value=next(iter(SEEN_BY)),
                    label="Channels, as given to",
                    min_width=260,
                    elem_id="seen-by",
                )
            pair = gr.HTML("", js_on_load=PAIR_SCRIPT + WIPE_SCRIPT, elem_id="pair")
            network = gr.HTML("", elem_id="network")
            with gr.Column(visible=False, elem_id="take-away-flow") as take_away:
                with gr.Row(elem_id="take-away"):
                    make = gr.Button("Video and .flo files", size="sm", elem_id="make-files")
                    zip_file = gr.DownloadButton(
                        ".flo files", size="sm", visible=False, elem_id="flo"
                    )
                    json_file = gr.DownloadButton("JSON", size="sm", elem_id="json")
                    share = gr.Button("Copy link", size="sm", elem_id="share")
                film = gr.Video(
                    visible=False,
                    interactive=False,
                    show_label=False,
                    label="Coloured flow",
                    elem_id="film",
                )
            gr.HTML(
                fragment("parts", "step", number=3, title="Two streams"), elem_id="streams-step"
            )
            gr.HTML(fragment("flow/parts", "streams_intro"), elem_id="streams-intro")
            none = gr.HTML("", elem_id="no-streams")
            with gr.Row(visible=False, elem_id="streams-go") as streams_go:
                streams = gr.Dropdown([], label="Streams", min_width=170, elem_id="streams")
                other = gr.Dropdown(
                    [("what it was trained with", ALONE)],
                    value=ALONE,
                    label="Flow",
                    min_width=170,
                    elem_id="other-flow",
                )
                ask = gr.Button("Ask both", size="lg", min_width=100, elem_id="ask-streams")
            with gr.Row(visible=False, elem_id="weighing") as weighing:
                weight = gr.Slider(
                    0,
                    1,
                    value=0.5,
                    step=0.05,
                    label="Weight of the temporal stream",
                    info="0 believes the frame alone, 1 the flow alone.",
                    elem_id="weight",
                )
            streams_panel = gr.HTML("", elem_id="streams-panel")

    at_once = {"queue": False, "show_progress": "hidden", **PRIVATE}
    quick = {"trigger_mode": "always_last", "show_progress": "hidden"}

    clip_input.connect(clip, notice)
    panel.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)
    for number, control in enumerate((method, beside)):
        control.change(about, [method, beside], told, api_name=f"about_{number}", **at_once)

    files = {"film": film, "zip_file": zip_file}
    shown = {"notice": notice, "panel": panel, "pair": pair, "answered": answered, **files}
    connect(
        go,
        stop,
        show_motion,
        [clip.current, clip.video, method, beside, start, seconds, without, seen_by],
        {
            **shown,
            "network": network,
            "reading": reading,
            "take_away": take_away,
            "json_file": json_file,
        },
        status,
        stopped,
        answered,
    )
    on(without.input, take_off, [answered, without], shown, **quick)
    pairs = {"notice": notice, "pair": pair, "answered": answered}
    for place, name in ((panel, "pick_moment"), (pair, "step_pair")):
        on(place.pick, show_pair, [answered], pairs, api_name=name, **quick)
    on(
        seen_by.input,
        see_as,
        [answered, seen_by],
        {"notice": notice, "network": network},
        trigger_mode="always_last",
        show_progress_on=[network],
    )
    on(
        make.click,
        make_files,
        [answered],
        {"notice": notice, **files},
        show_progress_on=[film],
    )
    on(
        ask.click,
        ask_streams,
        [clip.current, clip.video, streams, other, weight],
        {"notice": notice, "streams_panel": streams_panel, "both": both, "weighing": weighing},
        show_progress_on=[streams_panel],
    )
    on(weight.change, weigh, [both, weight], {"streams_panel": streams_panel}, **quick)
    page = gr.context.Context.root_block
    share.click(None, None, None, js="() => atlas.copyLink()", api_name="copy_link", **PRIVATE)
    settings = {
        "method": method,
        "beside": beside,
        "start": start,
        "seconds": seconds,
        "without_camera": without,
    }
    address.keep(settings)
    offered = page.load(
        offer,
        None,
        [method, beside, told, streams, other, streams_go, none],
        api_name="offer_flow",
        **at_once,
    )
    # The offer chooses the first method; what the address names comes after it.
    on(offered.then, restore_flow, [], {**clip.outputs(notice), **settings}).then(
        None, None, None, js="() => atlas.restored()", api_name="restored", **PRIVATE
    )
