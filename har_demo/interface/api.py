"""The same job for programs: named endpoints for gradio_client and, through MCP, for assistants."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.benchmarks import published
from har_demo.clips.ingest import ingest
from har_demo.errors import UserError
from har_demo.interface import attention_api, figures_api, flow_api, motion_api
from har_demo.interface.answers import ask, questions
from har_demo.interface.compare_view import every_row
from har_demo.interface.gpu import on_gpu
from har_demo.interface.prompts_running import question
from har_demo.interface.search_part import find
from har_demo.prompts import (
    PLAIN,
    POOLINGS,
    answer_json,
    default,
    ranking_json,
    tidy,
    towers,
)
from har_demo.recognize.catalogue import catalogue
from har_demo.recognize.export import annotate, as_json
from har_demo.recognize.prediction import Prediction


def build() -> None:
    """Add the endpoints of the pages Recognise, Prompts and Compare, and those of the others."""
    with gr.Column(visible=False):
        video = gr.Video(label="clip", sources=["upload"], interactive=True)
        models = gr.JSON(label="models", value=[])
        frames = gr.Number(label="frames", value=None, precision=0)
        stride = gr.Number(label="stride", value=None)
        windows = gr.Number(label="windows", value=None, precision=0)
        crops = gr.Number(label="crops", value=1, precision=0)
        answer = gr.JSON(label="answers")
        catalogue = gr.JSON(label="models")
        drawn = gr.Video(label="annotated clip")
        asked = [video, models, frames, stride, windows, crops]
        together = {"concurrency_limit": 1, "concurrency_id": "models"}
        gr.Button().click(recognize, asked, answer, api_name="recognize", **together)
        gr.Button().click(annotated, asked, drawn, api_name="annotate", **together)
        gr.Button().click(list_models, None, catalogue, api_name="models")

        prompts = gr.JSON(label="prompts", value=[])
        tower = gr.Textbox(label="tower", value=default())
        templates = gr.JSON(label="templates", value=list(PLAIN))
        none = gr.Checkbox(label="none", value=True)
        pooling = gr.Textbox(label="pooling", value=POOLINGS[0])
        temperature = gr.Number(label="temperature", value=None)
        in_words = [video, prompts, tower, templates, none, pooling, temperature]
        told = gr.JSON(label="answer")
        offered = gr.JSON(label="towers")
        gr.Button().click(ask_in_words, in_words, told, api_name="ask", **together)
        gr.Button().click(list_towers, None, offered, api_name="towers")

        several = gr.File(label="clips", file_count="multiple")
        sentence = gr.Textbox(label="sentence")
        ranking = gr.JSON(label="ranking")
        searched = [several, sentence, tower]
        gr.Button().click(search_clips, searched, ranking, api_name="search", **together)
        figures_api.build()
        flow_api.build()
        motion_api.build()
        attention_api.build()

        wanted = [gr.Textbox("", label=name) for name in ("data_set", "metric", "search")]
        rows = gr.JSON(label="rows")
        gr.Button().click(list_published, wanted, rows, api_name="published")


def _answers(clip, models, frames, stride, windows, crops, progress):
    settings = {"frames": frames, "stride": stride, "windows": windows, "crops": crops}
    return list(ask(clip, questions(models or [], settings), progress))


@on_gpu
def recognize(
    clip: str,
    models: list[str],
    frames: int | None = None,
    stride: float | None = None,
    windows: int | None = None,
    crops: int = 1,
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Recognise the action in a video clip with one or more models, each answering with ranked classes.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        models: Names of models, as /models lists them.
        frames: Frames per window; leave empty for the number each model was trained with.
        stride: Distance between those frames, in frames of the clip; leave empty for the model's own speed.
        windows: Number of windows spread evenly over the clip; leave empty to cover it, up to ten.
        crops: 1 for the centre of the picture, 3 for start, centre and end of its long side.
    """
    try:
        source = ingest(_given(clip), name=Path(clip).name)
        return as_json(source, _answers(source, models, frames, stride, windows, crops, progress))
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


@on_gpu
def annotated(
    clip: str,
    models: list[str],
    frames: int | None = None,
    stride: float | None = None,
    windows: int | None = None,
    crops: int = 1,
    progress=gr.Progress(),  # noqa: B008
):
    """
    Draw the models' answers over time onto a video clip and return it as an H.264 file.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        models: Names of models, as /models lists them.
        frames: Frames per window; leave empty for the number each model was trained with.
        stride: Distance between those frames, in frames of the clip; leave empty for the model's own speed.
        windows: Number of windows spread evenly over the clip; leave empty to cover it, up to ten.
        crops: 1 for the centre of the picture, 3 for start, centre and end of its long side.
    """
    try:
        source = ingest(_given(clip), name=Path(clip).name)
        said = _answers(source, models, frames, stride, windows, crops, progress)
        predictions = [a for a in said if isinstance(a, Prediction)]
        if not predictions:
            raise next((a for a in said if a.internal), said[0]).as_error()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "annotated.mp4"
            annotate(source, predictions, path)
            yield str(path)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def list_models() -> list[dict]:
    """List every model: its idea, input, classes, cost, accuracy and whether its weights are here."""
    return catalogue()


@on_gpu
def ask_in_words(
    clip: str,
    prompts: list[str],
    tower: str = "embedded",
    templates: list[str] | None = None,
    none: bool = True,
    pooling: str = "mean",
    temperature: float | None = None,
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Say which of some sentences a video clip shows and when, with probabilities and similarities.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        prompts: Sentences, up to 500, such as "a person riding a bicycle".
        tower: Which pair of networks answers, as /towers lists them; embedded needs no network.
        templates: Sentences with {} for the prompt, averaged; leave empty for the prompt alone.
        none: Whether 'none of these' may be the answer.
        pooling: How similarity over time becomes one number: mean, max, attention or transformer (embedded only).
        temperature: Similarities are divided by it before the softmax; leave empty for the tower's own.
    """
    try:
        asked = prompts if isinstance(prompts, str) else list(map(str, prompts or []))
        tidy(asked)  # what cannot be asked is said before the clip is read
        source = ingest(_given(clip), name=Path(clip).name)
        answer = question(
            source,
            asked,
            tower,
            templates or list(PLAIN),
            none,
            pooling,
            temperature,
            lambda fraction, sentence: progress(fraction, desc=sentence),
        )
        return answer_json(source, answer)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


@on_gpu
def search_clips(
    clips: list[str],
    sentence: str,
    tower: str = "embedded",
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Rank up to 50 video clips by how well one sentence fits them, the best first; bad files are named.

    Args:
        clips: The video files: any common container and codec, each up to 200 MB and 10 minutes.
        sentence: What is looked for, such as "a person riding a bicycle".
        tower: Which pair of networks answers, as /towers lists them; embedded needs no network.
    """
    try:
        return ranking_json(
            find(clips, sentence, tower, lambda fraction, what: progress(fraction, desc=what))
        )
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def list_towers() -> list[dict]:
    """List the pairs of networks that answer prompts: size, licence and whether the weights are here."""
    return [asdict(one) for one in towers()]


def list_published(data_set: str = "", metric: str = "", search: str = "") -> list[dict]:
    """
    List what is published or measured here of action recognition: accuracies with cost and source.

    Args:
        data_set: One data set, such as "Kinetics-400" or "UCF101"; leave empty for all.
        metric: One metric, such as "top-1"; leave empty for all.
        search: Words that must all stand in a row, such as "swin imagenet-21k"; leave empty for all.
    """
    try:
        return published.as_records(published.asked(every_row(), data_set, metric, search))
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def _given(clip: str | None) -> str:
    if not clip:
        raise UserError("There is no clip: give a video file.")
    return clip
