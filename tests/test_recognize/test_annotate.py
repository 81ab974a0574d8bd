from dataclasses import replace

import av
import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.recognize.annotate import annotate, window_at
from har_demo.recognize.prediction import ModelError, Prediction, Times
from har_demo.weights import Provenance
from tests.media import frame_number

CLASSES = ("clap", "jump", "a class with a name far too long for its bar, whoever draws it", "walk")


def sure_of(name: str, clip, windows: int = 3, frames: int = 16, model: str = "one") -> Prediction:
    """A prediction that gives `name` all the probability in every window."""
    scores = np.zeros((windows, len(CLASSES)), np.float32)
    scores[:, CLASSES.index(name)] = 1
    starts = np.linspace(0, clip.frames - frames, windows).astype(np.int64)
    return Prediction(
        model=model,
        title=model.title(),
        label_set="tests",
        classes=CLASSES,
        scores=scores,
        frames=starts[:, None] + np.arange(frames),
        crops=np.array([[0, 0, 10, 10]]),
        fps=clip.fps,
        times=Times(1, 1, 1),
        device="cpu",
        provenance=Provenance("shipped", "x", "0"),
    )


def decoded(path) -> tuple[av.VideoStream, list[np.ndarray]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return (
            stream.codec_context.name,
            stream.codec_context.pix_fmt,
            stream.average_rate,
        ), frames


@pytest.fixture(scope="module")
def annotated(clip, tmp_path_factory):
    """The clip with two windows, jump and then the class with the long name: facts, frames, progress."""
    file, done = tmp_path_factory.mktemp("annotated") / "out.mp4", []
    first = sure_of("jump", clip, windows=2, frames=60)
    scores = first.scores.copy()
    scores[1] = scores[1][::-1]
    annotate(clip, replace(first, scores=scores), file, done.append)
    return *decoded(file), done


def test_the_result_is_h264_with_every_frame_of_the_clip(clip, annotated):
    (codec, pixels, rate), frames, done = annotated
    assert (codec, pixels, rate) == ("h264", "yuv420p", 25)
    assert len(frames) == clip.frames
    height, width = frames[0].shape[:2]
    assert width >= 480 and height >= 480 and width % 2 == height % 2 == 0
    picture = round(720 * clip.height / clip.width)
    for number in (0, 63, 64, 119):
        assert frame_number(frames[number][:picture]) == number
    assert done == sorted(done) and done[-1] == 1


def test_the_moment_runs_along_the_timeline(annotated):
    line = [frame[-24].astype(int).min(axis=1).argmax() for frame in annotated[1]]
    assert line[0] < 40 and line[-1] > 680
    assert line == sorted(line)


def test_the_panel_changes_with_the_prediction(annotated):
    panels = [frame[545:680].astype(int) for frame in annotated[1]]
    same, other = (np.abs(panels[50] - panels[n]).mean() for n in (10, 70))
    assert other > 10 * same, (same, other)


@pytest.mark.parametrize("size", [(192, 144), (144, 192), (340, 20), (20, 340), (2, 2)], ids=str)
def test_any_shape_and_number_of_models_fits(clip, tmp_path, monkeypatch, size):
    strange = replace(clip, width=size[0], height=size[1], frames=3)
    monkeypatch.setattr(
        "har_demo.recognize.annotate.read_frames",
        lambda clip, numbers: np.full((len(numbers), size[1], size[0], 3), 90, np.uint8),
    )
    for models in (1, 2, 5):
        predictions = [sure_of("clap", clip, model=f"model {n}") for n in range(models)]
        annotate(strange, predictions, tmp_path / "out.mp4")
        _, frames = decoded(tmp_path / "out.mp4")
        assert len(frames) == 3 and frames[0].shape[0] >= 150, models


def test_a_moment_between_windows_is_spoken_for_by_the_nearest(clip):
    prediction = sure_of("jump", clip, windows=2, frames=16)  # frames 0 to 15 and 104 to 119
    nearest, inside = window_at(prediction, clip.frames)
    assert nearest[0] == 0 and nearest[50] == 0 and nearest[70] == 1
    assert inside[15] and not inside[16] and not inside[103] and inside[104]


def test_without_a_prediction_there_is_nothing_to_draw(clip, tmp_path):
    with pytest.raises(ChoiceError, match="nothing to draw"):
        annotate(clip, [ModelError("bare", "Bare", "no weights.")], tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
