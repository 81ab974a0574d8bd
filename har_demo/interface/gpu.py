"""Ask for the GPU that a Space lends for one call; everywhere else change nothing."""

from collections.abc import Callable


def on_gpu(function: Callable) -> Callable:
    """Decorate a function that runs models, so that ZeroGPU hardware serves it for two minutes.

    The `spaces` package exists on Hugging Face Spaces only; without it the function is returned
    as it is and uses whatever device the machine has.
    """
    try:
        import spaces
    except ImportError:
        return function
    return spaces.GPU(duration=120)(function)
