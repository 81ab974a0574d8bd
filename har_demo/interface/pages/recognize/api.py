"""Recognition for programs: the endpoints /recognize, /annotate and /models."""

from dataclasses import replace

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.interface import budget
from har_demo.interface.api import ClipFile, endpoint, read_clip
from har_demo.interface.lanes import PICTURES
from har_demo.interface.pages.recognize.on_gpu import recognized
from har_demo.interface.run import Job
from har_demo.interface.service import requests
from har_demo.recognize.catalogue import catalogue
from har_demo.recognize.defaults import default_models
from har_demo.recognize.export import annotate, as_json
from har_demo.recognize.plan import most_lines
from har_demo.recognize.prediction import ModelError, Prediction
from har_demo.weights.sources import chosen_sources


@endpoint("recognize", {"answers": gr.JSON})
def recognize(
    job: Job,
    clip: ClipFile,
    models: list[str] = (),
    frames: int | None = None,
    stride: float | None = None,
    windows: int | None = None,
    crops: int = 1,
) -> dict:
    """
    Recognise the action in a video clip with one or more models, each answering with ranked classes.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        models: Names of models, as /models lists them; leave empty for Kinetics' I3D and a tiny model.
        frames: Frames per window; leave empty for the number each model was trained with.
        stride: Distance between those frames, in frames of the clip; leave empty for the model's own speed.
        windows: Number of windows spread evenly over the clip; leave empty to cover it, up to ten.
        crops: 1 for the centre of the picture, 3 for start, centre and end of its long side.
    """
    source = read_clip(job, clip)
    settings = {"frames": frames, "stride": stride, "windows": windows, "crops": crops}
    return as_json(source, _answers(job, source, models, settings))


@endpoint("recognize_as_published", {"answers": gr.JSON})
def recognize_as_published(
    job: Job,
    clip: ClipFile,
    models: list[str] = (),
    weights_from: list[str] = (),
    windows: int | None = None,
    crops: int | None = None,
    side: int | None = None,
) -> dict:
    """
    Recognise the action in a video clip with the views that each model's public accuracy is the mean of.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        models: Names of models with public weights, as /models lists them with their sources.
        weights_from: Whose weights to take, as model=PUBLISHER; leave empty for those that are here.
        windows: Number of windows spread over the clip; leave empty for the protocol's.
        crops: 1, 3 or 10 crops of every window; leave empty for the protocol's.
        side: Pixels of the square that is cut out; leave empty for the protocol's.
    """
    settings = {"windows": windows, "crops": crops, "side": side, "published": True}
    named = chosen_sources(weights_from, models)
    asked = [
        replace(request, source=named.get(request.model, ""))
        for request in requests(models, settings)
    ]
    source = read_clip(job, clip, most_lines(asked))
    budget.check_models(source, asked)
    return as_json(source, list(recognized(job, source, asked)))


@endpoint("annotate", {"annotated clip": gr.Video})
def annotated(
    job: Job,
    clip: ClipFile,
    models: list[str] = (),
    frames: int | None = None,
    stride: float | None = None,
    windows: int | None = None,
    crops: int = 1,
) -> str:
    """
    Draw the models' answers over time onto a video clip and return it as an H.264 file.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        models: Names of models, as /models lists them; leave empty for Kinetics' I3D and a tiny model.
        frames: Frames per window; leave empty for the number each model was trained with.
        stride: Distance between those frames, in frames of the clip; leave empty for the model's own speed.
        windows: Number of windows spread evenly over the clip; leave empty to cover it, up to ten.
        crops: 1 for the centre of the picture, 3 for start, centre and end of its long side.
    """
    source = read_clip(job, clip)
    settings = {"frames": frames, "stride": stride, "windows": windows, "crops": crops}
    answers = _answers(job, source, models, settings)
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    if not predictions:
        raise next((a for a in answers if a.internal), answers[0]).as_error()
    path = job.folder / "annotated.mp4"
    with job.turn(PICTURES):
        annotate(source, predictions, path, lambda share: job.tell(share, "Drawing the clip"))
    return str(path)


def _answers(
    job: Job, clip: Clip, models: list[str], settings: dict
) -> list[Prediction | ModelError]:
    asked = requests(models or default_models(), settings)
    budget.check_models(clip, asked)
    return list(recognized(job, clip, asked))


@endpoint("models", {"models": gr.JSON})
def list_models() -> list[dict]:
    """List every model: its idea, input, classes, cost, accuracy and whether its weights are here."""
    return catalogue()
