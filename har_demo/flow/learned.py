"""Flow that was learned: networks, where their weights come from, and how a clip is put to them.

    RGB frames ──padded──▶ pairs, some at a time ──network──▶ pixels right and down ──cut──▶ fields

A network without its weights never answers: a sentence says what is missing.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo import assets
from har_demo.device import device as best_device
from har_demo.errors import ChoiceError, ClipError, WeightsError
from har_demo.flow import flownet, raft
from har_demo.models.card import Source
from har_demo.models.key_map import KeyMap
from har_demo.threads import in_one_thread
from har_demo.weights import Provenance, hub, shipped, state
from har_demo.weights.loading import public_file
from har_demo.weights.state import megabytes, sha256
from har_demo.weights.untrusted import read_untrusted

LARGEST = 2**20  # pixels of a picture: RAFT's memory grows with their square
AT_ONCE = {"cpu": 2**17, "cuda": 2**22}  # pixels of the pictures that go through a network together
KEPT = 4  # networks that stay in memory


@dataclass(frozen=True)
class FlowNetwork:
    """A network of flow.

    Attributes:
        title: what the field calls it.
        build: makes the network, untrained.
        answer: network, two pictures [B, 3, H, W] in [0, 1] → float [B, 2, H, W], pixels.
        multiple: sides of the pictures are multiples of it.
        least: and at least so long.
        bytes: of its weights.
        shipped: stem of its file in checkpoints/flow/, if it is trained here.
        sources: public files of its weights.
        enlarge: how much larger pictures are made for it, and the flow smaller again.
        elsewhere: where else weights can be had, for the sentence that says they are missing.
        key_map: names in the authors' files, which a person may have, → names here.
    """

    title: str
    build: Callable[[], nn.Module]
    answer: Callable[[nn.Module, Tensor, Tensor], Tensor]
    multiple: int
    least: int
    bytes: int
    shipped: str = ""
    sources: tuple[Source, ...] = ()
    enlarge: float = 1.0
    elsewhere: str = ""
    key_map: KeyMap | None = None


def _raft(
    title: str, build: Callable[[], nn.Module], size: int, answer=raft.answer, **rest
) -> FlowNetwork:
    names = raft.PRINCETON_KEY_MAP
    return FlowNetwork(title, build, answer, raft.MULTIPLE, raft.LEAST, size, key_map=names, **rest)


def _net(title: str, build: Callable[[], nn.Module], size: int, **rest) -> FlowNetwork:
    return FlowNetwork(
        title, build, flownet.answer, flownet.COARSEST, flownet.COARSEST, size, **rest
    )


TRAIN = "train it with `python -m har_demo.research flow-train`, or give your own"
REPOSITORY = "github.com/ClementPinard/FlowNetPytorch"

# How large, and how many corrections: as `python -m har_demo.research flow-sizes` found on pairs of our own,
# whose errors in pixels on shapes and people went from 2.07 and 0.64 (1 ×, 12 corrections) to 1.86 and
# 0.54 (1.25 ×, 8) in 1.14 of the time; 1.65 and 0.52 (1.5 ×, 12) took about twice the time.
LEARNED: dict[str, FlowNetwork] = {
    "raft-people": _raft(
        "RAFT-small, trained here",
        raft.raft_small,
        2_000_000,
        partial(raft.answer, updates=8),
        shipped="raft_small_people",
        enlarge=1.25,
        elsewhere=TRAIN,
    ),
    "flownet-lab": _net(
        "FlowNetS, lab size",
        flownet.flownet_lab,
        2_300_000,
        shipped="flownet_lab_people",
        elsewhere=TRAIN,
    ),
    "raft-small": _raft("RAFT-small", raft.raft_small, raft.SMALL.bytes, sources=(raft.SMALL,)),
    "raft-large": _raft("RAFT", raft.raft_large, raft.LARGE.bytes, sources=(raft.LARGE,)),
    "flownet-s": _net(
        "FlowNetS",
        flownet.FlowNetS,
        154_702_144,
        elsewhere=f"give a file of your own, such as flownets_EPE1.951.pth.tar of {REPOSITORY}",
    ),
    "flownet-c": _net(
        "FlowNetC",
        flownet.FlowNetC,
        156_697_280,
        elsewhere=f"give a file of your own, such as flownetc_EPE1.766.pth.tar of {REPOSITORY}",
    ),
}
"""The networks by name."""

_kept: dict[tuple, tuple[nn.Module, Provenance]] = {}
_gate = threading.Lock()


def network(
    method: str, weights: Path | str | None = None, device: torch.device | str = "cpu"
) -> tuple[nn.Module, Provenance]:
    """A network with its weights, on the device, in evaluation mode; kept for the next call.

    Args:
        method: a key of LEARNED.
        weights: the user's own file, .safetensors or tensors saved by torch; else those that are
            shipped, or public ones, which are fetched if they are not here yet.

    Raises:
        WeightsError: they are missing, damaged, cannot be fetched or belong to another network.
    """
    path = _file(method, weights)
    try:
        facts = path.stat()
        key = (method, str(device), str(path), facts.st_size, facts.st_mtime_ns)
    except (OSError, ValueError):
        key = (method,)  # loading will say what is wrong
    with _gate:
        if key not in _kept:
            module, provenance = _load(LEARNED[method], path, weights is not None)
            while len(_kept) >= KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = (module.to(device).eval().requires_grad_(False), provenance)
        return _kept[key]


def at_hand(method: str) -> str:
    """'' if a network could answer now without the network; else a sentence that says what is missing."""
    one = LEARNED[method]
    if one.shipped:
        here = shipped_file(one).is_file()
    else:
        here = any(hub.path(source).is_file() for source in one.sources)
    if here:
        return ""
    if one.sources and not hub.offline():
        return f"Weights of {one.title} ({megabytes(one.bytes)}) are fetched when they are needed."
    return _missing(one)


def shipped_file(one: FlowNetwork) -> Path:
    """Return the file of its shipped weights, if there is one; a .json of the same name describes it."""
    return shipped.folder() / "flow" / f"{one.shipped}.safetensors"


def fields(
    frames: np.ndarray,
    method: str,
    weights: Path | str | None = None,
    device: torch.device | str | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> tuple[np.ndarray, Provenance]:
    """Flow between neighbouring frames, float32 [T - 1, 2, H, W] in pixels, and whose weights answered.

    Beside the result memory does not grow with the clip: pairs go through the network some at a time.

    Args:
        frames: uint8 [T, H, W, 3], RGB, at least two.
        method: a key of LEARNED.
        weights: as `network`.
        device: the first GPU by default, or else the processor.
        on_progress: called with the share of fields that are done.

    Raises:
        ClipError: frames are too large.
        WeightsError: as `network`.
    """
    one = LEARNED[method]
    height, width = frames.shape[1:3]
    pixels = round(height * width * one.enlarge**2)
    if pixels > LARGEST:
        side = int(math.isqrt(LARGEST) / one.enlarge)
        raise ClipError(
            f"Pictures of {width} × {height} pixels are too large for {one.title}: "
            f"use some of at most {side * side:,} pixels, such as {side} × {side}."
        )
    device = torch.device(device or best_device())
    module, provenance = network(method, weights, device)
    step = max(1, AT_ONCE.get(device.type, 2**17) // pixels)
    out = np.empty((len(frames) - 1, 2, height, width), np.float32)
    for start in range(0, len(out), step):
        some = torch.from_numpy(frames[start : start + step + 1]).to(device)
        pictures = some.permute(0, 3, 1, 2).float() / 255
        found = between(one, module, pictures[:-1], pictures[1:])
        out[start : start + len(found)] = found.cpu().numpy()
        on_progress((start + len(found)) / len(out))
    return out, provenance


@in_one_thread
def between(one: FlowNetwork, module: nn.Module, before: Tensor, after: Tensor) -> Tensor:
    """Flow [B, 2, H, W] of pictures [B, 3, H, W] in [0, 1] of any size: the rim is repeated as is needed."""
    own = before.shape[-2:]
    if one.enlarge != 1:
        size = tuple(round(side * one.enlarge) for side in own)
        before, after = (F.interpolate(x, size, mode="bilinear") for x in (before, after))
    height, width = before.shape[-2:]
    down, right = (_more(side, one.multiple, one.least) for side in (height, width))
    rim = (right // 2, right - right // 2, down // 2, down - down // 2)
    with torch.inference_mode():
        found = one.answer(module, *(F.pad(x, rim, mode="replicate") for x in (before, after)))
    found = found[..., rim[2] : rim[2] + height, rim[0] : rim[0] + width].float()
    if one.enlarge == 1:
        return found
    smaller = found.new_tensor([own[1] / width, own[0] / height]).view(2, 1, 1)
    return F.interpolate(found, own, mode="bilinear") * smaller


def _more(side: int, multiple: int, least: int) -> int:
    """Return the number of pixels that a side lacks."""
    return -(-max(side, least) // multiple) * multiple - side


def _file(method: str, weights: Path | str | None) -> Path:
    """Return the file of the weights, fetched if need be."""
    if method not in LEARNED:
        raise ChoiceError(f"No network of flow is called '{method}': choose {', '.join(LEARNED)}.")
    one = LEARNED[method]
    if weights is not None:
        return Path(weights)
    if one.sources:
        return public_file(one.title, one.sources)
    if one.shipped and shipped_file(one).is_file():
        return shipped_file(one)
    raise WeightsError(_missing(one))


def _load(one: FlowNetwork, path: Path, own: bool) -> tuple[nn.Module, Provenance]:
    if own:
        tensors, source, note = read_untrusted(path), "user", "the user's own file"
        tensors = one.key_map(tensors) if one.key_map else tensors
    elif one.shipped:
        assets.verified(path, f"The shipped file of {one.title}")
        tensors, source, note = state.read(path), "shipped", "trained by this project"
    else:
        tensors, source, note = state.read(path), "hub", f"published by torchvision as {path.name}"
    module = one.build()
    state.fit(module, tensors, one.title, path.name)
    return module, Provenance(source, path.name, sha256(path), note)


def _missing(one: FlowNetwork) -> str:
    what = f"{one.shipped}.safetensors, " if one.shipped else ""
    todo = one.elsewhere or f"go online, or give the file {hub.path(one.sources[0]).name} yourself"
    return f"Weights of {one.title} ({what}{megabytes(one.bytes)}) are not here: {todo}."
