"""Work on a lent GPU: in a process of its own, for as long as it needs, and heard when Stop is pressed."""

import importlib
import sys
import threading
import time

import numpy as np
import pytest
import torch

from har_demo import device
from har_demo.clips.ingest import ingest
from har_demo.errors import BROKEN, ChoiceError, InternalError, UserError
from har_demo.interface import gpu, stopping
from har_demo.interface.pages.attention import callbacks as attention
from har_demo.interface.pages.flow import callbacks as flow
from har_demo.interface.pages.flow import on_gpu as flow_on_gpu
from har_demo.interface.pages.motion import callbacks as motion
from har_demo.interface.pages.prompts import callbacks as prompts
from har_demo.interface.pages.prompts import on_gpu as prompts_on_gpu
from har_demo.interface.pages.recognize import api as recognize_api
from har_demo.interface.pages.recognize import callbacks as recognize
from har_demo.interface.pages.recognize.on_gpu import gmacs
from har_demo.interface.run import press
from har_demo.models.registry import card, cards
from har_demo.prompts import answer as prompt_answers
from har_demo.prompts import embedded
from har_demo.recognize import networks
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Request
from tests.media import numbered_frames, write
from tests.test_interface.pressed import pressed
from tests.zero_gpu import ZeroGPU

MODEL = "mfnet_pnl_lab"
told: list = []


@pytest.fixture
def spaces(monkeypatch):
    """A Space with ZeroGPU, where MODEL counts as a network that gains from a GPU."""
    lender = ZeroGPU()
    monkeypatch.setitem(sys.modules, "spaces", lender)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    importlib.reload(gpu)
    monkeypatch.setattr(gpu, "WORTH", 0.1)
    monkeypatch.setitem(vars(card(MODEL)), "size", "paper")
    yield lender
    lender.close()
    monkeypatch.undo()
    importlib.reload(gpu)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return ingest(write(tmp_path_factory.mktemp("gpu") / "clip.mp4", numbered_frames(40)))


def tell(share: float, sentence: str) -> None:
    told.append((share, sentence))


def silent(share, desc):
    """A page's progress that nobody sees."""


def squares(count, tell):
    """Work that tells and gives something."""
    for number in range(count):
        tell(number / count, f"number {number}")
        yield number**2, device._lent


def in_vain(error, tell):
    raise error


def endless(tell):
    for number in range(100_000):
        tell(0.5, "still at it")
        yield number
        time.sleep(0.01)


def a_tensor(where, tell):
    return torch.zeros(2, 3, device=where)


def test_elsewhere_work_is_done_right_here(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert list(gpu.stream(tell, None, 20, squares, 2)) == [(0, False), (1, False)]


def test_a_lent_gpu_is_another_process_that_tells_how_far_it_is(spaces):
    told.clear()
    assert list(gpu.stream(tell, None, 20, squares, 3)) == [(0, True), (1, True), (4, True)]
    assert told == [(n / 3, f"number {n}") for n in range(3)]
    assert spaces.asked == [20] and not device._lent


def test_work_that_does_not_gain_asks_for_no_gpu(spaces):
    assert list(gpu.stream(tell, None, 0, squares, 1)) == [(0, False)]
    assert spaces.asked == []


def test_ordinary_questions_take_seconds_of_a_quota_of_two_minutes():
    i3d = card("i3d").gmacs
    assert 5 <= gpu.seconds(i3d) <= 20
    everything = sum(10 * one.gmacs for one in cards().values() if one.gmacs)
    assert 1.5 * gpu.seconds(everything) <= 120


def test_tiny_models_and_those_of_flow_never_ask(clip):
    requests = [Request("r3d_lab", windows=1000), Request("i3d_flow"), Request("idt_lab")]
    assert gmacs([plan(clip, one) for one in requests]) == 0
    assert gmacs([plan(clip, Request("i3d", windows=2))]) > gpu.WORTH


def test_tensors_cross_by_value_and_those_of_a_gpu_never(spaces):
    result = gpu.call(tell, None, 5, a_tensor, "cpu")
    assert result.shape == (2, 3) and not result.is_shared()
    with pytest.raises(InternalError):
        gpu.call(tell, None, 5, a_tensor, "meta")


@pytest.mark.parametrize(
    ("error", "words"),
    [(ChoiceError("Choose another one."), "Choose another one."), (KeyError("x"), BROKEN)],
)
def test_what_goes_wrong_there_is_the_same_sentence_here(spaces, error, words):
    with pytest.raises(UserError if words != BROKEN else InternalError, match=words[:20]):
        gpu.call(tell, None, 5, in_vain, error)


def test_a_visitor_without_seconds_is_served_by_the_processor(spaces):
    spaces.left = 20
    told.clear()
    assert list(gpu.stream(tell, None, 20, squares, 1)) == [(0, False)]
    assert told[0] == (0.0, "No GPU is free for you now: the processor does it")


def test_a_gpu_that_is_taken_back_ends_the_work_with_a_sentence(spaces):
    running = gpu.stream(tell, None, 20, endless)
    next(running)
    spaces.processes[0].results.put(("error", "GPU task aborted"))
    with pytest.raises(UserError, match="taken back"):
        list(running)


@press
def work_without_end(job):
    yield from ({"number": n} for n in gpu.stream(job.tell, job.flag, 20, endless))


def test_stop_reaches_a_process_that_was_forked_before(spaces):
    list(gpu.stream(tell, None, 20, squares, 1))  # its process is there before the press
    with stopping.work("visitor"):
        running = work_without_end("visitor", lambda *_, **__: None)
        assert next(running) == {"number": 0}
        threading.Timer(0.1, stopping.stop, ["visitor"]).start()
        given = [update["number"] for update in running]
    assert given == list(range(1, len(given) + 1)) and len(given) < 1000
    # The same process, which ended that work by itself, serves the next press.
    assert list(gpu.stream(tell, None, 20, squares, 2)) == [(0, True), (1, True)]
    assert len(spaces.processes) == 1


def test_what_is_closed_here_ends_there(spaces):
    running = gpu.stream(tell, None, 20, endless)
    next(running)
    running.close()  # what Gradio does when the visitor leaves
    assert list(gpu.stream(tell, None, 20, squares, 1)) == [(0, True)]


def test_every_page_asks_models_on_the_lent_gpu(spaces, clip, monkeypatch):
    """One process of the app: prompts, recognise, attention and class activation, motion and flow."""
    networks.forget()
    prompt_answers.forget()
    monkeypatch.setattr(prompts_on_gpu, "gmacs", lambda name: 1000.0)
    given = clip, None, "walking\nrunning", True, embedded.NAME, "{}", "mean", 1.0
    (said,) = pressed(prompts.ask_prompts, *given)
    answer = said["answered"].answer
    assert spaces.asked == [21] and answer.times.image > 0
    # The frames' vectors came back: another question about the clip asks for no GPU.
    (again,) = pressed(prompts.ask_prompts, *given)
    assert len(spaces.asked) == 1 and again["answered"].answer.times.image == 0
    np.testing.assert_allclose(again["answered"].answer.similarity, answer.similarity)

    *_, last = pressed(recognize.run_models, clip, None, [MODEL, "c3d_lab"], 0, 0, 0, 1, "", None)
    first, second = last["answered"].answers
    assert (first.model, second.model) == (MODEL, "c3d_lab")
    assert spaces.asked[1:] == [6]
    here = [key[0] for key in networks._kept]
    assert here == ["c3d_lab"], "the tiny model answers here, the other there"

    *_, shown = pressed(attention.ask_model, clip, None, MODEL, None)
    trace = shown["look"]
    assert "notice" in shown and shown["notice"] == ""
    assert trace.card is card(MODEL) and isinstance(trace.scores, np.ndarray)
    assert len(spaces.asked) == 3
    *_, other = pressed(attention.change_class, trace, None, "hirescam")
    assert "class_map" in other and len(spaces.asked) == 4
    # Another place of the same look is a matter of milliseconds.
    pressed(attention.ask_place, trace, None, None, -1, 0, None, False, 8, event={"at": [0.5] * 3})
    assert len(spaces.asked) == 4

    asked = ["reverse"], ["dense"], [4], [1.0], 0.0
    *_, grid = pressed(motion.try_on_models, motion.EDITS, clip, None, [MODEL], *asked)
    assert grid["on_page"].grid.complete and len(spaces.asked) == 5
    *_, passes = pressed(motion.try_on_models, motion.SAMPLINGS, clip, None, [MODEL], *asked)
    assert len(passes["on_page"].passes) == 1 and len(spaces.asked) == 6

    span = "", 0.0, 1.0, False, flow.METHOD
    (moved,) = pressed(flow.show_motion, clip, None, "dis", *span)
    assert moved["answered"].look.pairs.shape[1] == 2 and len(spaces.asked) == 6
    monkeypatch.setattr(flow_on_gpu, "gains", lambda method: method == "flownet-lab")
    (moved,) = pressed(flow.show_motion, clip, None, "flownet-lab", *span)
    assert moved["answered"].look.field(0, 0).shape[0] == 2
    assert spaces.asked[6:] == [flow_on_gpu.SECONDS] * 2  # the span, and a network's input


def test_the_answer_is_the_same_on_both_sides(spaces, clip):
    def ask():
        given = recognize_api.recognize.call(str(clip.path), [MODEL], None, None, None, 1, silent)
        return given["predictions"][0]["overall"]

    there = ask()
    assert spaces.asked == [6]
    spaces.left = 0
    assert ask() == there


def test_the_main_process_computes_on_its_processor_where_gpus_are_lent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as PyTorch says there
    assert device.device().type == "cuda"
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert device.device().type == "cpu"
    monkeypatch.setattr(device, "_lent", True)
    assert device.device().type == "cuda"
