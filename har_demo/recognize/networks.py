"""Networks kept in memory between questions, shared by everyone who asks.

A network in evaluation mode under inference_mode is only read, so several threads may use one.
"""

import os
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable

import torch
from torch import nn

from har_demo import weights
from har_demo.models.card import ModelCard
from har_demo.models.layout import channels_last
from har_demo.weights import Provenance, shipped

KEPT_BYTES = 2 * 2**30

_kept: OrderedDict[tuple, tuple[nn.Module, Provenance]] = OrderedDict()
_kept_lock = threading.Lock()
_loading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def network(
    card: ModelCard,
    user_file: str | None,
    device: torch.device,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[nn.Module, Provenance]:
    """The model's network with its parameters, on the device, loaded at most once.

    Two users who ask for the same model at once wait for one load. The networks used last stay,
    up to `KEPT_BYTES` of parameters.

    Raises:
        WeightsError: the parameters are missing, cannot be fetched or do not fit.
    """
    source = card.sources[0].name if card.sources else ""
    key = (card.name, source, str(device), _identity(card, user_file))
    found = _look_up(key)
    if found:
        return found
    with _kept_lock:
        gate = _loading[card.name]
    with gate:
        found = _look_up(key)
        if found:
            return found
        module, provenance = weights.load(card, user_file, on_progress)
        module.eval().requires_grad_(False)
        channels_last(module.to(device))
        _keep(key, (module, provenance))
        return module, provenance


def forget() -> None:
    """Drop every kept network."""
    with _kept_lock:
        _kept.clear()


def _look_up(key: tuple) -> tuple[nn.Module, Provenance] | None:
    with _kept_lock:
        if key in _kept:
            _kept.move_to_end(key)
        return _kept.get(key)


def _keep(key: tuple, value: tuple[nn.Module, Provenance]) -> None:
    with _kept_lock:
        _kept[key] = value
        while len(_kept) > 1 and sum(_bytes(module) for module, _ in _kept.values()) > KEPT_BYTES:
            _kept.popitem(last=False)


def _bytes(module: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in module.parameters())


def _identity(card: ModelCard, user_file: str | None) -> tuple | None:
    """The state of the file that the parameters come from: another content is another network.

    A public file has a fixed hash, so that its card says enough.
    """
    file = user_file
    if file is None:
        entry = shipped.entry(card.name)
        if entry is None:
            return None
        file = str(shipped.path(entry))
    try:
        facts = os.stat(file)
    except OSError:
        return (file,)  # loading it says what is wrong
    return (file, facts.st_mtime_ns, facts.st_size)
