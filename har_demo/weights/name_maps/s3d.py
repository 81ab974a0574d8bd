"""torchvision numbers S3D's layers; TengdaHan's code names each twice: alone and in a block."""

from torch import Tensor

from .rename import State, renamed

_LAYERS = {
    "conv_1a": 0,
    "conv_2b": 2,
    "conv_2c": 3,
    "mixed_3b": 5,
    "mixed_3c": 6,
    "mixed_4b": 8,
    "mixed_4c": 9,
    "mixed_4d": 10,
    "mixed_4e": 11,
    "mixed_4f": 12,
    "mixed_5b": 14,
    "mixed_5c": 15,
}
_SPLIT = r"(conv_1a|conv_2c|branch[12]\.1)"

_our_names = renamed(
    # torchvision: 0 and 1 are space and time, and inside of each convolution and norm.
    *((rf"^features\.{number}\.", f"trunk.{name}.") for name, number in _LAYERS.items()),
    (rf"{_SPLIT}\.0\.", r"\1.space."),
    (rf"{_SPLIT}\.1\.", r"\1.time."),
    (r"\.0\.weight$", ".conv.weight"),
    (r"\.1\.(weight|bias|running_mean|running_var|num_batches_tracked)$", r".norm.\1"),
    (r"^classifier\.norm\.", "logits."),
    # TengdaHan
    (r"^b\.Conv_", "trunk.conv_"),
    (r"^b\.Mixed_", "trunk.mixed_"),
    (r"\.branch0\.0\.", ".branch0."),
    (r"\.(conv|bn)1\.", r".space.\1."),
    (r"\.(conv|bn)2\.", r".time.\1."),
    (r"\.bn\.", ".norm."),
    (r"\.gating_b(\d)\.", r".gates.\1."),
    (r"^fc\.", "logits."),
    drop=(r"^b\.block\d\.",),
)


def _from_public(state: State) -> dict[str, Tensor]:
    """TengdaHan's last layer is linear where ours is a 1×1×1 convolution: the same numbers."""
    mapped = _our_names(state)
    last = mapped.get("logits.weight")
    if last is not None and last.dim() == 2:
        mapped["logits.weight"] = last[:, :, None, None, None]
    return mapped


MAPS = {"s3d": _from_public, "s3d_g": _from_public}
