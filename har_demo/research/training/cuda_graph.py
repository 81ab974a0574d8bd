"""A step of training as a CUDA graph: captured once on the GPU and replayed without Python.

A small network has hundreds of kernels that run for microseconds each; started one by one from Python
they leave the GPU idle most of the time.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[tuple[Tensor, ...], Tensor], Tensor]
"""(inputs, labels) → loss, with all its effects on parameters, gradients and buffers."""


def captured(step: Step, inputs: tuple[Tensor, ...], labels: Tensor) -> Step:
    """Return the same step as a CUDA graph.

    Args:
        step: must have run on the current stream, not the default one, some times before, so that
            everything it needs is there; must copy nothing between the GPU and the processor.
        inputs, labels: of the shapes that all later ones have.

    Returns:
        The step; its loss stays valid until it is called again.

    Raises:
        RuntimeError: it did something that cannot be captured.
    """
    held = tuple(x.clone() for x in inputs), labels.clone()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        loss = step(*held)

    def replay(inputs: tuple[Tensor, ...], labels: Tensor) -> Tensor:
        for own, given in zip((*held[0], held[1]), (*inputs, labels), strict=True):
            own.copy_(given)
        graph.replay()
        return loss

    return replay
