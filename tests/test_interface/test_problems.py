"""A fault of ours during a press: the visitor reads one sentence, the log has the rest, the server goes on."""

import re
import sys
import urllib.request

import gradio as gr
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from har_demo.errors import BROKEN, ChoiceError
from har_demo.interface import clip_input
from har_demo.interface.problems import explain_error, plainly
from tests import plant
from tests.media import numbered_frames, write
from tests.test_interface.pressed import pressed


def test_a_mistake_is_said_as_it_is_and_not_logged(caplog):
    assert explain_error(ChoiceError("Choose another."), "asking failed") == "Choose another."
    assert not caplog.records


def test_a_fault_is_said_as_ours_and_logged(caplog):
    try:
        raise TypeError("planted")
    except TypeError as fault:
        assert explain_error(fault, "asking failed") == BROKEN
    assert "asking failed" in caplog.text and "TypeError: planted" in caplog.text


@pytest.mark.parametrize("streaming", [False, True])
def test_a_handler_that_breaks_tells_gradio_the_sentence(streaming, caplog):
    def plain(clip):
        raise KeyError("planted")

    def stream(clip):
        yield clip
        raise KeyError("planted")

    handler = plainly(stream if streaming else plain)
    with pytest.raises(gr.Error) as shown:
        list(handler("a.mp4"))
    assert shown.value.message == BROKEN and "KeyError: 'planted'" in caplog.text


def test_a_handler_that_works_or_speaks_for_itself_is_left_alone():
    def said(clip):
        """Say it."""
        raise gr.Error("in its own words")

    with pytest.raises(gr.Error, match="in its own words"):
        plainly(said)("a.mp4")
    assert plainly(said).__doc__ == "Say it." and plainly(said).__name__ == "said"
    assert plainly(str.upper)("a") == "A"
    assert list(plainly(lambda n: iter(range(n)))(3)) == [0, 1, 2]


def test_an_upload_that_meets_a_fault_is_said_beside_the_clip(monkeypatch, caplog):
    def broken(*given, **named):
        raise AttributeError("planted")

    monkeypatch.setattr(clip_input, "read", broken)
    emptied, said = pressed(clip_input.take_upload, "/tmp/a.mp4")
    assert (emptied["video"], emptied["current"]) == (None, None)
    assert BROKEN in said["clip_notice"]
    assert "AttributeError: planted" in caplog.text


# torchvision of its own accord imports some of the compiler, which nothing here can prevent.
SERVED = """
import sys
import torchvision
import torch

def refused(*_):
    raise SystemExit("CUDA was initialised")

before, cuda = set(sys.modules), (torch.cuda.is_available, torch.cuda._lazy_init)
torch.cuda.is_available, torch.cuda._lazy_init = lambda: True, refused
import app
torch.cuda.is_available, torch.cuda._lazy_init = cuda
unwanted = ("har_demo.research", "torch._inductor", "unearth")
print("unwanted:", *sorted(name for name in set(sys.modules) - before if name.startswith(unwanted)))
app.launch(app.demo)
"""


@pytest.mark.nightly
@pytest.mark.slow
def test_a_server_whose_reading_process_is_broken(serving, tmp_path):
    """And it loads no trainer, no renderer and no compiler of networks, whose start is costly.

    Nor does it touch a GPU: ZeroGPU forks it, and a process that has begun to use CUDA cannot be forked.
    """
    clip = write(tmp_path / "clip.mp4", numbered_frames(20))
    code = (
        "import har_demo.clips.transcode as t\n"
        "def transcode(*given):\n    raise TypeError('planted')\nt.transcode = transcode"
    )
    planted = plant.in_process(tmp_path / "planted", "har_demo.clips.ingest_child", code)
    log = tmp_path / "app.log"
    variables = {"PYTHONPATH": str(planted), "HAR_CACHE": str(tmp_path / "cache")}
    with serving(log, variables, [sys.executable, "-c", SERVED]) as url:
        client = Client(url, verbose=False)
        with pytest.raises(AppError, match=re.escape(BROKEN)):
            client.predict(clip=handle_file(clip), models=["c3d_lab"], api_name="/recognize")
        assert client.predict(api_name="/models")
        with urllib.request.urlopen(url) as page:
            assert page.status == 200
    logged = log.read_text()
    assert "TypeError: planted" in logged and "ingest_child.py" in logged
    assert "\nunwanted:\n" in f"\n{logged}"
