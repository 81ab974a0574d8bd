"""The page for free text: a clip and some sentences in, which of them it shows, when and where."""

import json
from functools import partial

import gradio as gr

from har_demo.interface import address, clip_input, header, plots
from har_demo.interface.links import restore_prompts
from har_demo.interface.pages.prompts import search
from har_demo.interface.pages.prompts.callbacks import (
    DEFAULT_CHOICE,
    OWN_TEMPERATURE,
    START,
    ask_prompts,
    describe_model,
    fill_in,
    offer_models,
    read_again,
    stopped,
    take_back,
    where_it_matches,
)
from har_demo.interface.pages.prompts.curves import curves
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, connect, on
from har_demo.prompts import CLASS_LISTS, DEFAULT, ENSEMBLE, PLAIN, POOLINGS, ask_hub
from har_demo.prompts.nearness import AT_CHANCE

POOLED = {
    "mean": "mean",
    "max": "maximum",
    "attention": "weighted",
    "transformer": "learned transformer",
}

# A press on the chart or a picture goes to that moment; a picture also asks where its prompt matches.
RESULTS_SCRIPT = """
element.addEventListener('click', event => {
  const cell = event.target.closest('[data-seek]');
  if (!cell) return;
  atlas.seek(Number(cell.dataset.seek));
  if (cell.dataset.prompt) trigger('pick', {prompt: Number(cell.dataset.prompt)});
});
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    ask_hub()  # so that it is known which model is the default when somebody opens the page
    answered = gr.State(None)  # the OnPage on the right
    kept = gr.State(START)  # what the visitor typed before taking a class list

    header.build()
    with gr.Row(elem_id="bench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="ask"):
            clip = clip_input.build()
            gr.HTML(fragment("parts", "step", number=2, title="Prompts"))
            prompts = gr.Textbox(
                START,
                lines=6,
                max_lines=12,
                label="What may the clip show?",
                info="One a line, as many as 500. Say them as a caption would.",
                elem_id="prompts",
            )
            with gr.Row(elem_classes="chips", elem_id="lists"):
                short = sorted(CLASS_LISTS, key=lambda name: len(CLASS_LISTS[name]))
                lists = {name: gr.Button(name, size="sm", min_width=60) for name in short}
                own = gr.Button("My own", size="sm", min_width=60, elem_id="own-prompts")
            none = gr.Checkbox(
                True,
                label="'None of these' may be the answer",
                info="The clip is also compared with sentences such as 'an empty scene'.",
                elem_id="none",
            )
            which = gr.HTML("", elem_id="which")
            with gr.Accordion("Image-text model and settings", open=False, elem_id="settings"):
                model = gr.Dropdown(
                    [DEFAULT_CHOICE],
                    value=DEFAULT,
                    label="Image-text model",
                    info="One network for pictures and one for sentences, made to agree.",
                    elem_id="tower",
                )
                about_model = gr.HTML("", elem_id="about-tower")
                templates = gr.Textbox(
                    "\n".join(PLAIN),
                    lines=1,
                    max_lines=8,
                    label="Templates",
                    info="A line each, {} where the prompt goes; the vectors of several are averaged.",
                    elem_id="templates",
                )
                with gr.Row(elem_classes="chips"):
                    plain = gr.Button("Prompt alone", size="sm", min_width=60)
                    several = gr.Button(
                        "Several templates", size="sm", min_width=60, elem_id="several"
                    )
            with gr.Row(elem_id="go"):
                go = gr.Button("Ask", variant="primary", size="lg", elem_id="run")
                stop = gr.Button("Stop", size="lg", elem_id="stop", min_width=80, scale=0)

        with gr.Column(scale=7, min_width=320, elem_id="answer"):
            notice = gr.HTML("", elem_id="notice")
            status = gr.HTML("", elem_id="status")
            with gr.Row(visible=False, elem_id="reading") as reading:
                pooling = gr.Radio(
                    [(POOLED[one], one) for one in POOLINGS],
                    value=POOLINGS[0],
                    label="Similarity over time becomes its",
                    info="Weighted: a mean in which moments that fit count more. Learned transformer: "
                    "all moments together and learned vectors around each prompt (Ju et al.); better for "
                    f"the 39 everyday actions; {AT_CHANCE}; embedded model, and those with learned prompts.",
                    min_width=240,
                    elem_id="pooling",
                )
                warmth = gr.Slider(
                    0.2,
                    5,
                    value=OWN_TEMPERATURE,
                    step=0.1,
                    label="Temperature",
                    info="In multiples of the model's own: lower makes the likeliest surer.",
                    min_width=240,
                    elem_id="temperature",
                )
            panel = gr.HTML(render("prompts/empty"), js_on_load=RESULTS_SCRIPT, elem_id="results")
            where = gr.HTML("", elem_id="where")
            who = gr.HTML("", elem_id="who")
            with gr.Row(visible=False, elem_id="take-away") as take_away:
                json_file = gr.DownloadButton("JSON", size="sm", elem_id="json")
                share = gr.Button("Copy link", size="sm", elem_id="share")

    search.build(model)
    with gr.Accordion(
        "What learned prompts gain, measured", open=False, elem_id="learned"
    ) as learned:
        measured = plots.build(elem_id="few-shots")

    at_once = {"queue": False, "show_progress": "hidden", **PRIVATE}

    clip_input.connect(clip, notice)
    panel.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)

    for number, (name, button) in enumerate(lists.items()):
        button.click(
            partial(fill_in, name),
            [prompts, kept],
            [prompts, kept],
            api_name=f"fill_in_{number}",
            **at_once,
        ).then(
            None,
            None,
            None,
            js=f"() => atlas.draft('classes', {json.dumps(name)})",
            api_name=f"keep_list_{number}",
            **PRIVATE,
        )
    own.click(take_back, [prompts, kept], prompts, api_name="own_prompts", **at_once).then(
        None,
        prompts,
        None,
        js="text => atlas.draft('prompts', text)",
        api_name="keep_own",
        **PRIVATE,
    )
    for button, sentences, name in ((plain, PLAIN, "plain"), (several, ENSEMBLE, "several")):
        button.click(partial("\n".join, sentences), None, templates, api_name=name, **at_once).then(
            None,
            templates,
            None,
            js="text => atlas.draft('templates', text)",
            api_name=f"keep_{name}",
            **PRIVATE,
        )
    described = [which, about_model]
    model.change(describe_model, model, described, api_name="describe_tower", **at_once)

    shown = {
        "notice": notice,
        "panel": panel,
        "who": who,
        "answered": answered,
        "json_file": json_file,
    }
    connect(
        go,
        stop,
        ask_prompts,
        [clip.current, clip.video, prompts, none, model, templates, pooling, warmth],
        {**shown, "which": which, "where": where, "reading": reading, "take_away": take_away},
        status,
        stopped,
        answered,
    )
    for control in (pooling.input, warmth.change):
        on(
            control,
            read_again,
            [answered, pooling, warmth],
            shown,
            trigger_mode="always_last",
            show_progress="hidden",
        )
    share.click(None, None, None, js="() => atlas.copyLink()", api_name="copy_link", **PRIVATE)
    on(
        panel.pick,
        where_it_matches,
        [answered],
        {"where": where},
        show_progress_on=[where],
    ).then(None, None, None, js="() => atlas.show('#where')", api_name="show_where", **PRIVATE)
    learned.expand(curves, None, measured, api_name="prompts_curves", **at_once)
    page = gr.context.Context.root_block
    page.load(offer_models, None, model, api_name="offer_towers", **at_once).then(
        describe_model, model, described, api_name="describe_first_tower", **at_once
    )
    question = {
        "prompts": prompts,
        "none": none,
        "tower": model,
        "templates": templates,
        "pooling": pooling,
    }
    # The page's script sees to the texts.
    address.keep({"none": none, "tower": model, "pooling": pooling})
    on(page.load, restore_prompts, [], {**clip.outputs(notice), **question}).then(
        None, None, None, js="() => atlas.restored()", api_name="prompts_restored", **PRIVATE
    )
