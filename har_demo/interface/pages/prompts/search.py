"""The second part of the Prompts page: up to fifty clips are ranked for one sentence."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.probe import limits
from har_demo.errors import ChoiceError
from har_demo.interface import budget, formatting
from har_demo.interface.lanes import MODELS
from har_demo.interface.pages.prompts.on_gpu import encode
from har_demo.interface.reading import read
from har_demo.interface.render import data_uri, fragment, notice, render
from har_demo.interface.run import Job, ends, on, press
from har_demo.prompts import Found, Ranking, ranking_json, search_files
from har_demo.prompts.catalogue import about, card, offered
from har_demo.prompts.ranking import FRAMES, MOST

# A press on a clip plays it in the panel's own player, from the moment that fits best.
FOUND_SCRIPT = """
element.addEventListener('click', event => {
  const pressed = event.target.closest('[data-play]');
  if (!pressed) return;
  const player = element.querySelector('.found-player'), video = player.querySelector('video');
  element.querySelectorAll('[data-play]').forEach(one => one.setAttribute('aria-pressed', one === pressed));
  player.hidden = false;
  player.querySelector('figcaption').textContent = pressed.dataset.name;
  const seek = () => { video.currentTime = Number(pressed.dataset.at); video.play().catch(() => {}); };
  if (video.getAttribute('src') === pressed.dataset.play) seek();
  else {
    video.src = pressed.dataset.play;
    video.addEventListener('loadedmetadata', seek, {once: true});
  }
  player.scrollIntoView({behavior: 'smooth', block: 'nearest'});
});
"""


def build(model: gr.Dropdown) -> None:
    """Lay out the part below the rest of the page; `model` says which model is asked."""
    with gr.Column(elem_id="search-clips"):
        gr.HTML(
            fragment(
                "prompts/parts", "search_title", most=MOST, megabytes=round(limits().megabytes)
            )
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                files = gr.File(
                    file_count="multiple",
                    file_types=["video"],
                    label="Clips",
                    height=180,
                    elem_id="search-files",
                )
                sentence = gr.Textbox(
                    "a person waving both hands",
                    label="What do you look for?",
                    info="One sentence; the model chosen above ranks the clips.",
                    elem_id="search-for",
                )
                with gr.Row():
                    go = gr.Button("Search", variant="primary", elem_id="search-go")
                    stop = gr.Button("Stop", elem_id="search-stop", min_width=80, scale=0)
            with gr.Column(scale=7, min_width=320):
                notice_place = gr.HTML("", elem_id="search-notice")
                status = gr.HTML("", elem_id="search-status")
                found = gr.HTML(
                    fragment("prompts/parts", "search_empty"),
                    js_on_load=FOUND_SCRIPT,
                    elem_id="search-found",
                )
                json_file = gr.DownloadButton(
                    "JSON", size="sm", visible=False, scale=0, elem_id="search-json"
                )

    outputs = {"notice": notice_place, "found": found, "json_file": json_file}
    options = {"show_progress_on": [status]}
    inputs = [files, sentence, model]
    running = [
        on(go.click, search_clips, inputs, outputs, **options),
        on(sentence.submit, search_clips, inputs, outputs, api_name="search_again", **options),
    ]
    ends(stop, running, search_clips, stopped, [], outputs)


@press
def search_clips(job: Job, files: list[str] | None, sentence: str, model: str):
    """Rank the clips.

    Yields updates of: notice, found, json_file.
    """
    ranking = find(job, files, sentence, model)
    path = job.folder / "search.json"
    path.write_text(json.dumps(ranking_json(ranking), indent=1), encoding="utf-8")
    yield {
        "notice": "",
        "found": ranked(ranking),
        "json_file": gr.update(value=str(path), visible=True),
    }


def find(job: Job, files: list[str] | None, sentence: str, model: str) -> Ranking:
    """Search for the page and the API alike.

    Raises:
        ChoiceError, WeightsError: as `har_demo.prompts.search_files`; models from a folder are for the
            command line alone.
    """
    if not files:
        raise ChoiceError("There is no clip to search: add some video files.")
    name = offered(model)
    budget.check_search(name, len(files), FRAMES)

    with ExitStack() as turns:

        def encoded(clips: list[Clip]) -> None:
            turns.enter_context(job.turn(MODELS))
            encode(job, job.tell, clips, name, FRAMES, windows=1)

        def read_one(file: Path, tell: Callable[[float], None]) -> Clip:
            return read(job, file, file.name, tell=tell)

        paths = [Path(file) for file in files]
        return search_files(paths, sentence, name, job.tell, encoded, read_one)


@press
def stopped(job: Job):
    """Say so; the ranking before stays. Yields an update of: notice."""
    sentence = "Stopped. Clips that were looked at are known at the next search."
    yield {"notice": notice(sentence, "warn")}


def ranked(ranking: Ranking) -> str:
    """A ranking as HTML: the best first, each with the frame that fits best."""
    best = max((one.similarity for one in ranking.found), default=0.0)
    return render(
        "prompts/search",
        sentence=ranking.sentence,
        clips=[_row(place, one, best) for place, one in enumerate(ranking.found, 1)],
        count=formatting.count(len(ranking.found), "clip"),
        tower=card(ranking.model).title,
        able=about(ranking.model),
        notes=ranking.notes,
        unread=ranking.unread,
    )


def _row(place: int, one: Found, best: float) -> dict:
    frame = min(one.clip.frames - 1, round(one.seconds * one.clip.fps))
    return {
        "place": place,
        "name": one.clip.source.name,
        "image": data_uri(read_frames(one.clip, [frame])[0], height=120),
        "play": f"/gradio_api/file={one.clip.path}",
        "at": f"{one.seconds:.3f}",
        "time": formatting.seconds(one.seconds),
        "similarity": formatting.signed(one.similarity),
        "width": f"{100 * max(0.0, one.similarity) / max(best, 1e-6):.1f}",
    }
