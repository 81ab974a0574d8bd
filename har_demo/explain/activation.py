"""Class activation: the moments and places of a clip that are evidence for a class, in five dimensions throughout.

A layer near the end has features A [C, T, H, W] that still say when and where; the gradient G of the
class's logit says how each of them counts. Four ways to make one map of the two:

    grad-cam     relu Σ_c mean(G_c) A_c        Selvaraju et al., ICCV 2017
    grad-cam++   relu Σ_c Σ(α_c relu G_c) A_c  Chattopadhay et al., WACV 2018; α below
    hirescam     relu Σ_c G_c A_c              Draelos and Carin, 2020: no mean over places
    layercam     relu Σ_c relu(G_c) A_c        Jiang et al., TIP 2021

Means and sums are over time, height and width together: a channel has one weight for the whole window,
and the map has the layer's true resolution. Where only a mean over all places and one linear layer
follow, as in most networks here, the first and the third are the same, and are CAM (Zhou et al., 2016).

Libraries for images were looked at: pytorch-grad-cam sums over two axes in all but its plain method and
resizes maps as pictures, and captum has the plain method alone. Neither knows a layer that keeps its
channels last, as Swin's do, or tokens with a class token in front, as MViT's.

Which layer? The rule of `target_layer`: the last whose output still has more than one cell in space,
poolings aside. Networks with a few layers for each frame (TSN, TRN, recurrent ones) have one of images
there, whose frames count as T.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.errors import ChoiceError
from har_demo.explain.look import ForwardTrace
from har_demo.threads import in_one_thread

Method = Literal["grad-cam", "grad-cam++", "hirescam", "layercam"]
METHODS: tuple[Method, ...] = get_args(Method)
POOLINGS = (
    *(nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
)


@dataclass(frozen=True)
class ActivationLayer:
    """A layer whose activations can be mapped.

    Attributes:
        name: of the module whose output it is; of its input, if it says so.
        of_input: whether what the module receives is meant.
        grid: (T, H, W) of its cells.
        laid_out: turns what is caught into [1, C, T, H, W].
    """

    name: str
    of_input: bool
    grid: tuple[int, int, int]
    laid_out: Callable[[Tensor], Tensor] = field(repr=False)


@dataclass(frozen=True)
class Activation:
    """Evidence for a class over time and picture.

    Attributes:
        method: how.
        target: the class's number among the model's.
        layer: name of the layer.
        values: float32 [T, H, W] at the layer's own resolution, 0 or more, in the logit's own units.
    """

    method: str
    target: int
    layer: str
    values: np.ndarray = field(repr=False)


def activation(
    trace: ForwardTrace,
    target: int | None = None,
    method: Method = "grad-cam",
    network: nn.Module | None = None,
) -> Activation:
    """Compute when and where a model found evidence for a class.

    Args:
        trace: the look.
        target: number of the class; the likeliest where none is given.
        method: one of `METHODS`.
        network: another one of the same shape, such as one with other parameters; the look's own
            where none is given.

    Raises:
        ChoiceError: the method or the class does not exist, or the network keeps no places to show.
    """
    if method not in METHODS:
        raise ChoiceError(f"There is no method '{str(method)[:60]}': choose {', '.join(METHODS)}.")
    if target is None:
        target = int(trace.scores.argmax())
    if target not in range(len(trace.card.classes)):
        raise ChoiceError(f"{trace.card.title} has no class number {target}.")
    network = network or trace.network()
    device = next(network.parameters()).device
    inputs = [x.to(device) for x in trace.inputs]
    layer = target_layer(network, *inputs)
    features, gradient = _features(network, layer, inputs, target)
    values = combine(features, gradient, method)[0].cpu().numpy()
    return Activation(method, target, layer.name, values)


def combine(features: Tensor, gradient: Tensor, method: Method) -> Tensor:
    """A map float [B, T, H, W] of features and the gradient of a logit, both [B, C, T, H, W].

    >>> features = torch.tensor([1.0, 3.0]).reshape(1, 1, 2, 1, 1)
    >>> gradient = torch.tensor([4.0, -2.0]).reshape(1, 1, 2, 1, 1)
    >>> {m: combine(features, gradient, m).flatten().tolist() for m in ("grad-cam", "hirescam")}
    {'grad-cam': [1.0, 3.0], 'hirescam': [4.0, 0.0]}
    """
    places = (2, 3, 4)
    if method == "grad-cam":
        weighed = gradient.mean(dim=places, keepdim=True) * features
    elif method == "grad-cam++":
        # The logit's exponential as the score: its higher derivatives are powers of G.
        square, cube = gradient.square(), gradient**3
        below = 2 * square + features.sum(dim=places, keepdim=True) * cube
        alpha = square / torch.where(below != 0, below, torch.ones_like(below))
        weighed = (alpha * gradient.relu()).sum(dim=places, keepdim=True) * features
    elif method == "hirescam":
        weighed = gradient * features
    else:
        weighed = gradient.relu() * features
    return weighed.sum(dim=1).relu()


@in_one_thread
def target_layer(network: nn.Module, *inputs: Tensor) -> ActivationLayer:
    """The last layer that still says when and where, found by one forward pass.

    Args:
        network: any model of this project; on 'meta' nothing is computed.
        inputs: what its forward takes, one view.

    Raises:
        ChoiceError: no layer has more than one cell in space.
    """
    clips, frames, tokens = [], [], []  # [1, C, T, H, W], [T, C, H, W], [1, 1 + T·H·W, C]
    pooled: list[Tensor] = []  # kept, so that a new tensor cannot have an old one's identity

    def note(name: str, module: nn.Module, given: tuple, result: object) -> None:
        found = _tokens(name, given)
        if found:
            tokens.append(found)
        if not isinstance(result, Tensor):
            return
        if isinstance(module, POOLINGS):
            pooled.append(result)
        if any(result is one for one in pooled) or result.ndim not in (4, 5):
            return
        if result.ndim == 5 and isinstance(module, nn.LayerNorm):  # which works on the last axis
            layer = ActivationLayer(
                name, False, tuple(result.shape[1:4]), lambda x: x.movedim(-1, 1)
            )
            cells = clips
        elif result.ndim == 5:
            layer = ActivationLayer(name, False, tuple(result.shape[2:]), lambda x: x)
            cells = clips
        else:
            grid = (len(result), *result.shape[2:])
            layer = ActivationLayer(name, False, grid, lambda x: x.transpose(0, 1)[None])
            cells = frames
        if layer.grid[1] * layer.grid[2] > 1:
            cells.append(layer)

    with torch.no_grad(), _hooked(network, note):
        network(*inputs)
    # Tokens go last through their network; what meets as a clip comes after what was each frame's.
    for found in (tokens, clips, frames):
        if found:
            return found[-1]
    raise ChoiceError("This network keeps no places to the end, so there is no map to show.")


def _tokens(name: str, given: tuple) -> ActivationLayer | None:
    """A block that receives (tokens, their grid), as MViT's do.

    Its input, because behind the last block the class token alone is read, so that nothing there
    says how the other tokens count.
    """
    if len(given) != 2 or not isinstance(given[1], tuple) or not isinstance(given[0], Tensor):
        return None
    grid = tuple(int(n) for n in given[1])
    first = given[0].shape[1] - math.prod(grid)  # the class token, if there is one
    return ActivationLayer(name, True, grid, lambda x: x[:, first:].mT.unflatten(2, grid))


@contextmanager
def _hooked(network: nn.Module, note: Callable) -> Iterator[None]:
    """While inside, `note` is told of what every module but the whole receives and gives.

    Only of what this thread runs: others may be using the same network.
    """
    thread = get_ident()

    def told(name: str, module: nn.Module, given: tuple, result: object) -> None:
        if get_ident() == thread:
            note(name, module, given, result)

    hooks = [
        module.register_forward_hook(
            lambda module, given, result, name=name: told(name, module, given, result)
        )
        for name, module in network.named_modules()
        if name
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@in_one_thread
def _features(
    network: nn.Module, layer: ActivationLayer, inputs: list[Tensor], target: int
) -> tuple[Tensor, Tensor]:
    """Features of a layer and the gradient of a class's logit there, each [1, C, T, H, W]."""
    caught: list[Tensor] = []

    def note(name: str, module: nn.Module, given: tuple, result: Tensor) -> None:
        if name == layer.name:
            caught.append(given[0] if layer.of_input else result)

    # cuDNN's recurrent layers have no gradient in evaluation mode.
    with (
        _hooked(network, note),
        torch.enable_grad(),
        torch.backends.cudnn.flags(enabled=not _recurrent(network)),
    ):
        logits = network(*(x.detach().requires_grad_() for x in inputs))
        (gradient,) = torch.autograd.grad(logits[0, target], caught[-1])
    return layer.laid_out(caught[-1].detach()), layer.laid_out(gradient)


def _recurrent(network: nn.Module) -> bool:
    return any(isinstance(module, nn.RNNBase) for module in network.modules())


def resized(values: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A map float32 [T, H, W] at another resolution, every cell a flat box: nothing is made up.

    >>> resized(np.array([[[1.0, 2.0]]], np.float32), (1, 1, 4)).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return F.interpolate(torch.from_numpy(values)[None, None], shape, mode="nearest")[0, 0].numpy()
