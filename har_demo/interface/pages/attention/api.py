"""Attention and class activation for programs: the endpoints /attention and /class_activation."""

from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.ingest import ingest
from har_demo.errors import UserError
from har_demo.explain.export import explained_attention, explained_class
from har_demo.explain.look import look
from har_demo.interface.gpu import on_gpu
from har_demo.models import registry


def build() -> None:
    """Add the endpoints to the current Blocks, inside something invisible."""
    video = gr.Video(label="clip", sources=["upload"], interactive=True)
    model = gr.Textbox(label="model")
    x, y = gr.Number(label="x"), gr.Number(label="y")
    frame = gr.Number(label="frame", precision=0)
    second = gr.Number(label="second", value=None)
    block = gr.Textbox(label="block", value=None)
    head = gr.Number(label="head", value=None, precision=0)
    function = gr.Textbox(label="function", value=None)
    lines = gr.Number(label="lines", value=8, precision=0)
    name = gr.Textbox(label="action", value=None)
    method = gr.Textbox(label="method", value="grad-cam")
    trust = gr.Checkbox(label="trust", value=False)
    answer = [gr.JSON(label="map"), gr.File(label="picture"), gr.File(label="array")]
    together = {"concurrency_limit": 1, "concurrency_id": "models"}
    gr.Button().click(
        attention,
        [video, model, x, y, frame, second, block, head, function, lines],
        answer,
        api_name="attention",
        **together,
    )
    gr.Button().click(
        class_activation,
        [video, model, name, method, second, trust],
        answer,
        api_name="class_activation",
        **together,
    )


@on_gpu
def attention(
    clip: str,
    model: str,
    x: float,
    y: float,
    frame: int,
    second: float | None = None,
    block: str | None = None,
    head: int | None = None,
    function: str | None = None,
    lines: int = 8,
    progress=gr.Progress(),  # noqa: B008
):
    """
    Show where one place of a clip attends in all sampled frames: scores, a picture and the array.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        model: Name of a model with attention between places whose weights are here.
        x: Pixels from the left edge of the clip.
        y: Pixels from its upper edge.
        frame: Number of the sampled frame, from 0.
        second: The moment to look at; leave empty for the middle of the clip.
        block: Name of the block that is asked; leave empty for the last.
        head: Number of a head, from 0; leave empty for the mean of all.
        function: gaussian, embedded_gaussian, dot_product or concatenation over the same weights;
            leave empty for the one that was trained.
        lines: How many of the strongest connections are listed and drawn.
    """

    def explained(one):
        at = (x or 0, y or 0, int(frame or 0))
        return explained_attention(one, at, block or None, head, function or None, int(lines))

    yield from _answered(clip, model, second, explained, progress)


@on_gpu
def class_activation(
    clip: str,
    model: str,
    action: str | None = None,
    method: str = "grad-cam",
    second: float | None = None,
    trust: bool = False,
    progress=gr.Progress(),  # noqa: B008
):
    """
    Show when and where a model found an action in a clip: the map, a picture and the array.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        model: Name of a model whose weights are here, as /models lists them.
        action: One of the model's classes; leave empty for the likeliest.
        method: grad-cam, grad-cam++, hirescam, layercam, or rollout for transformers.
        second: The moment to look at; leave empty for the middle of the clip.
        trust: Whether to measure deletion, insertion and a network with shuffled parameters, too.
    """

    def explained(one):
        def say(done: float) -> None:
            progress(done, desc="Greying out and back")

        return explained_class(one, action or None, method or "grad-cam", trust, say)

    yield from _answered(clip, model, second, explained, progress)


def _answered(clip, model, second, explained, progress):
    """JSON and two files, which last until Gradio has copied them."""
    try:
        registry.card(model)  # a wrong name is said before the clip is read
        if not clip:
            raise UserError("There is no clip: give a video file.")
        source = ingest(clip, name=Path(clip).name)
        one = look(source, model, second, on_progress=lambda done, what: progress(done, desc=what))
        said = explained(one)
        with TemporaryDirectory() as folder:
            picture, array = Path(folder) / "map.png", Path(folder) / "map.npz"
            picture.write_bytes(said.png())
            array.write_bytes(said.npz())
            yield said.json(), str(picture), str(array)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
