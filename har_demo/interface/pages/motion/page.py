"""The Motion page: change a clip, or sample it otherwise, and see which models answer differently."""

import gradio as gr

from har_demo.explain import samplings
from har_demo.explain.edits import EDITS
from har_demo.explain.samplings import FRAMES, KINDS
from har_demo.interface import address, clip_input, header
from har_demo.interface.pages.motion.callbacks import EDITS as EDITING
from har_demo.interface.pages.motion.callbacks import (
    SAMPLINGS,
    STRIDES,
    play_edit,
    preview,
    previews,
    restore_motion,
    stopped,
    try_on_models,
)
from har_demo.interface.pages.motion.view import GROUPS
from har_demo.interface.picker import picker
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, connect, on
from har_demo.recognize.defaults import TWO_TINY

TICKED_AT_FIRST = (
    "reverse",
    "shuffle",
    "single",
    "speed",
    "mirror",
    "darken",
    "background",
    "person",
)
NOTES = {
    "time": "the same pictures in another order, or fewer of them",
    "picture": "every frame looks different, and none changes its place",
}

# What is ticked and set travels with a press; a strength that is moved is shown at once.
EDITS_SCRIPT = """
const all = selector => [...element.querySelectorAll(selector)];
const text = edit => {
  const range = edit.querySelector('input[type=range]');
  return edit.dataset.edit + (range ? '=' + range.value : '');
};
atlas.edits = every => all('.edit').filter(e => every || e.querySelector('[name=edit]').checked).map(text);
atlas.tickEdits = texts => all('.edit').forEach(edit => {
  const mine = texts.find(one => one.split('=')[0] === edit.dataset.edit);
  const range = edit.querySelector('input[type=range]');
  edit.querySelector('[name=edit]').checked = mine !== undefined;
  if (range && mine?.includes('=')) {
    range.value = mine.split('=')[1];
    say(range);
  }
});
const keep = () => atlas.draft('edits', atlas.edits());
element.addEventListener('change', keep);
atlas.forgetStrips = () => all('.film').forEach(film => film.removeAttribute('style'));
const say = range => {
  const {value, dataset} = range;
  range.parentElement.querySelector('output').textContent =
    dataset.unit === '%' ? `${+(value * 100).toFixed(1)} %` : `${+value} ${dataset.unit}`.trim();
};
all('input[type=range]').forEach(say);
const asking = {};
element.addEventListener('input', async event => {
  const range = event.target.closest('input[type=range]');
  if (!range) return;
  say(range);
  const edit = range.closest('.edit'), name = edit.dataset.edit;
  const clip = document.querySelector('.clip-facts')?.dataset.clip;
  if (!clip || asking[name]) return;
  // One question at a time for each edit, and the last position is always asked.
  asking[name] = true;
  let shown;
  while (shown !== text(edit)) {
    shown = text(edit);
    const start = Number(document.querySelector('#start input')?.value || 0);
    const strip = await server.preview({clip, edit: shown, start});
    if (!strip.address || clip !== document.querySelector('.clip-facts')?.dataset.clip) break;
    Object.assign(edit.querySelector('.film').style, {
      backgroundImage: `url(${strip.address})`,
      backgroundSize: `${strip.count * 100}% 100%`,
      animationDuration: `${strip.seconds}s`,
      animationTimingFunction: strip.count > 1 ? `steps(${strip.count}, jump-none)` : 'linear',
    });
  }
  asking[name] = false;
});
element.addEventListener('click', event => {
  const which = event.target.closest('[data-tick-edits]')?.dataset.tickEdits;
  if (!which) return;
  all('.edit').forEach(edit => {
    const box = edit.querySelector('[name=edit]');
    box.checked = which === 'usual' ? box.hasAttribute('data-usual') : [edit.dataset.group, 'all'].includes(which);
  });
  keep();
});
"""

RESULTS_SCRIPT = """
element.addEventListener('click', event => {
  const button = event.target.closest('[data-watch]');
  if (button) trigger('pick', {edit: button.dataset.watch});
});
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    on_page = gr.State(None)  # the OnPage on the right
    part = gr.State(EDITING)  # which half of the page is open

    header.build()
    with gr.Row(elem_id="bench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="ask"):
            clip = clip_input.build()
            start = gr.Number(
                0,
                minimum=0,
                label="Start",
                info="Seconds; ten seconds from here on are looked at.",
                visible=False,
                elem_id="start",
            )
            style = gr.HTML("", elem_id="strips", elem_classes="unseen")
            gr.HTML(fragment("parts", "step", number=2, title="Models"))
            chosen = gr.HTML(picker(TWO_TINY), elem_id="models", js_on_load=None)
            gr.HTML(fragment("parts", "step", number=3, title="What to try"))
            with gr.Tabs(elem_id="what") as what:
                with gr.Tab("Edits", id=EDITING) as edits_tab:
                    wanted = gr.HTML(
                        render("motion/edits", groups=_groups(), ticked=TICKED_AT_FIRST),
                        js_on_load=EDITS_SCRIPT,
                        server_functions=[preview],
                        elem_id="edits",
                    )
                with gr.Tab("Samplings", id=SAMPLINGS) as samplings_tab:
                    kinds = gr.CheckboxGroup(
                        list(KINDS),
                        value=list(KINDS),
                        label="Kind",
                        info="Dense looks at one moment; uniform and segments spread over the clip.",
                    )
                    frames = gr.CheckboxGroup(
                        list(FRAMES),
                        value=[n for n in FRAMES if n <= 32],
                        label="Frames",
                        info="Some networks take only as many as they were made for.",
                    )
                    strides = gr.CheckboxGroup(
                        [(f"{n:g}", n) for n in STRIDES],
                        value=list(samplings.STRIDES),
                        label="Strides",
                        info="Of dense sampling: 4 takes every fourth frame.",
                    )
            with gr.Row(elem_id="go"):
                go = gr.Button("Try", variant="primary", size="lg", elem_id="run")
                stop = gr.Button("Stop", size="lg", elem_id="stop", min_width=80, scale=0)

        with gr.Column(scale=7, min_width=320, elem_id="answer"):
            notice = gr.HTML("", elem_id="notice")
            status = gr.HTML("", elem_id="status")
            tried = gr.HTML(
                "", elem_id="tried", elem_classes="unseen"
            )  # previews of what was tried
            panel = gr.HTML(render("motion/empty"), js_on_load=RESULTS_SCRIPT, elem_id="results")
            with gr.Row(visible=False, elem_id="take-away") as take_away:
                json_file = gr.DownloadButton("JSON", size="sm", elem_id="json")
                csv_file = gr.DownloadButton("CSV", size="sm", elem_id="csv")
                share = gr.Button("Copy link", size="sm", elem_id="share")
            played = gr.Video(
                visible=False,
                label="Edited clip",
                interactive=False,
                autoplay=True,
                elem_id="played",
            )

    at_once = {"queue": False, "show_progress": "hidden", **PRIVATE}

    clip_input.connect(clip, notice)
    panel.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)
    for event, name in ((clip.facts.change, "previews"), (start.change, "previews_from")):
        on(
            event,
            previews,
            [clip.current, wanted, start],
            {"style": style, "start": start},
            js="(clip, edits, start) => { atlas.forgetStrips(); return [clip, atlas.edits(true), start]; }",
            api_name=name,
            trigger_mode="always_last",
            show_progress="hidden",
        )
    for tab, which in ((edits_tab, EDITING), (samplings_tab, SAMPLINGS)):
        tab.select(lambda which=which: which, None, part, api_name=f"open_{which}", **at_once)

    connect(
        go,
        stop,
        try_on_models,
        [part, clip.current, clip.video, chosen, wanted, kinds, frames, strides, start],
        {
            "notice": notice,
            "style": tried,
            "panel": panel,
            "on_page": on_page,
            "take_away": take_away,
            "json_file": json_file,
            "csv_file": csv_file,
            "played": played,
        },
        status,
        stopped,
        on_page,
        given="(part, clip, video, chosen, edits, ...rest) => "
        "[part, clip, video, atlas.chosen(), atlas.edits(), ...rest]",
    )
    on(
        panel.pick,
        play_edit,
        [on_page],
        {"played": played, "notice": notice},
        show_progress_on=[played],
    ).then(None, None, None, js="() => atlas.show('#played')", api_name="show_played", **PRIVATE)
    page = gr.context.Context.root_block
    share.click(None, None, None, js="() => atlas.copyLink()", api_name="copy_link", **PRIVATE)
    settings = {"start": start, "kinds": kinds, "frames": frames, "strides": strides}
    address.keep(settings)
    restored = {**clip.outputs(notice), **settings, "part": part, "what": what}
    on(page.load, restore_motion, [], restored).then(
        None, None, None, js="() => atlas.restored()", api_name="restored", **PRIVATE
    )


def _groups() -> list[dict]:
    return [
        {
            "name": name,
            "title": title,
            "note": NOTES[name],
            "edits": [edit for edit in EDITS.values() if edit.group == name],
        }
        for name, title in GROUPS
    ]
