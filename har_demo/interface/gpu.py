"""Work on a GPU that is lent for one call, as ZeroGPU hardware of Hugging Face Spaces does; elsewhere right here.

    press, this process                                  process that has the GPU
    ───────────────────                                  ────────────────────────
    plain values ──────────── pickled ─────────────────▶ work(*given, tell)
    job.tell      ◀── share and sentence ──────────────  tell(share, sentence)
    Stop: a byte of shared memory ─────────────────────▶ tell raises Stopped
    items         ◀── pickled, tensors by value ───────  what the work gives

A visitor's GPU seconds are few, and a call that asks for more than are left is refused. So only work that
gains from a GPU asks for one, for as long as its multiply-adds need; files come in, weights are fetched
and pages are drawn outside. Where no GPU is to be had, the processor does the work.
"""

import io
import logging
import math
import pickle
import queue
import threading
from collections.abc import Callable, Iterator

import gradio as gr
import torch

from har_demo import device
from har_demo.errors import InternalError, UserError
from har_demo.interface import stopping
from har_demo.models import registry
from har_demo.models.card import ModelCard

try:
    import spaces
except ImportError:  # it is there on Spaces alone
    spaces = None

WORTH = 50.0
"""GMACs from which work gains: two cores of a processor take seconds for fewer, as getting a GPU does."""
START = 5.0
"""Seconds for starting the process, loading weights and decoding frames."""
RATE = 1000.0
"""GMACs a second, far below what GPUs reach, for what lies between two forward passes."""
LONGEST = 60
"""Seconds. Hardware that counts 1.5 times takes 90 of the 120 a day that a visitor without account has."""

Tell = Callable[[float, str], None]
"""Called with the share that is done (0..1) and a sentence; may raise Stopped."""

log = logging.getLogger(__name__)


def seconds(gmacs: float) -> int:
    """Return for how long to ask for a GPU, given multiply-adds in 10⁹; 0 for work that does not gain.

    >>> seconds(20), seconds(111), seconds(6000)
    (0, 6, 11)
    """
    return 0 if gmacs < WORTH else min(LONGEST, math.ceil(START + gmacs / RATE))


def stream(tell: Tell, flag: int | None, duration: int, work: Callable, *given) -> Iterator:
    """Yield what `work(*given, tell)` yields, computed on a GPU where one is lent for so long.

    Args:
        tell: shows progress here.
        flag: of `stopping.flag`, or None where nothing stops the work.
        duration: seconds; 0 never asks for a GPU.
        work: a function of a module, and `given` its arguments: both cross to another process.

    Raises:
        UserError: of the work, or the GPU was taken back before the work was done.
        Stopped: Stop was pressed.
    """
    if not (duration and device.zero_gpu() and _lent):
        yield from work(*given, tell)
        return
    started = False
    try:
        for kind, value in _lent(duration, flag, _packed((work, given))):
            started = True
            if kind == "progress":
                tell(*value)
            elif kind == "item":
                yield pickle.loads(value)
            else:
                raise pickle.loads(value)
    except stopping.Stopped:
        raise
    except Exception as refusal:
        if started and isinstance(refusal, gr.Error):
            raise UserError(
                "The GPU was taken back before the work was done: choose fewer or smaller models, or "
                "try again."
            ) from refusal
        if started:
            raise
        log.warning("No GPU: %s", refusal)
        tell(0.0, "No GPU is free for you now: the processor does it")
        yield from work(*given, tell)


def call(tell: Tell, flag: int | None, duration: int, work: Callable, *given):
    """Return what `work(*given, tell)` returns; else as `stream`."""
    (result,) = stream(tell, flag, duration, _only, work, given)
    return result


def _only(work: Callable, given: tuple, tell: Tell) -> Iterator:
    yield work(*given, tell)


def _on_gpu(duration: int, flag: int | None, packed: bytes) -> Iterator[tuple[str, object]]:
    """In the process that has the GPU: yield what the work tells and gives, as ('progress', 'item' or 'error', value).

    The work has a thread of its own, so that it can tell something while it computes.
    """
    device.use_gpu()
    told: queue.SimpleQueue = queue.SimpleQueue()
    closed = threading.Event()

    def tell(share: float, sentence: str) -> None:
        stopping.check_flag(flag)
        if closed.is_set():  # whoever asked has gone
            raise stopping.Stopped
        told.put(("progress", (share, sentence)))

    def run() -> None:
        try:
            work, given = pickle.loads(packed)
            for item in work(*given, tell):
                told.put(("item", _packed(item)))
        except Exception as error:
            ours = not isinstance(error, UserError | stopping.Stopped)
            if ours:
                log.error("work on a GPU failed", exc_info=error)
                error = InternalError("It failed in the process that had the GPU.")
            told.put(("error", pickle.dumps(error)))
        finally:
            told.put(("end", None))

    threading.Thread(target=run, daemon=True).start()
    try:
        while (message := told.get())[0] != "end":
            yield message
    finally:
        closed.set()


_lent = spaces and spaces.GPU(duration=lambda duration, *_: duration)(_on_gpu)


class _Pickler(pickle.Pickler):
    """Packs values, models' cards by name; tensors must be on the processor.

    A tensor of a GPU would lead back into memory that the other process does not have.
    """

    def reducer_override(self, value):
        if isinstance(value, ModelCard) and registry.cards().get(value.name) is value:
            return registry.card, (value.name,)
        if isinstance(value, torch.Tensor) and value.device.type != "cpu":
            raise pickle.PicklingError(f"a tensor on {value.device} cannot leave its process")
        return NotImplemented


def _packed(value: object) -> bytes:
    packed = io.BytesIO()
    _Pickler(packed).dump(value)
    return packed.getvalue()
