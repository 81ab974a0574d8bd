"""pytorchvideo's names for SlowFast, and PySlowFast's, which the non-local networks have."""

from .rename import renamed

_PYTORCHVIDEO = (
    (r"^blocks\.6\.proj\.", "fc."),
    (r"\.multipathway_fusion\.conv_fast_to_slow\.", ".lateral.0."),
    (r"\.multipathway_fusion\.norm\.", ".lateral.1."),
    (r"\.multipathway_blocks\.0\.", ".slow."),
    (r"\.multipathway_blocks\.1\.", ".fast."),
    # What comes out of the stem, number 0, goes through lateral1; number 1 is res2.
    *((rf"^blocks\.{i}\.lateral\.", f"lateral{i + 1}.conv.") for i in range(4)),
    (r"^blocks\.0\.(slow|fast)\.conv\.", r"\1.stem.0.0."),
    (r"^blocks\.0\.(slow|fast)\.norm\.", r"\1.stem.0.1."),
    *((rf"^blocks\.{i}\.(slow|fast)\.res_blocks\.", rf"\1.res{i + 1}.") for i in range(1, 5)),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".conv1.0."),
    (r"\.branch2\.norm_a\.", ".conv1.1."),
    (r"\.branch2\.conv_b\.", ".conv2.0."),
    (r"\.branch2\.norm_b\.", ".conv2.1."),
    (r"\.branch2\.conv_c\.", ".conv3.0."),
    (r"\.branch2\.norm_c\.", ".conv3.1."),
)
_PYSLOWFAST = (
    (r"^head\.projection\.", "fc."),
    (r"^s(\d)_fuse\.conv_f2s\.", r"lateral\1.conv.0."),
    (r"^s(\d)_fuse\.bn\.", r"lateral\1.conv.1."),
    (r"^s(\d)\.pathway0_", r"slow.res\1."),
    (r"^s(\d)\.pathway1_", r"fast.res\1."),
    (r"\.res1\.stem\.conv\.", ".stem.0.0."),
    (r"\.res1\.stem\.bn\.", ".stem.0.1."),
    (r"\.nonlocal(\d+)\.conv_out\.", r".\1.non_local.w_z."),
    (r"\.nonlocal(\d+)\.conv_(theta|phi|g)\.", r".\1.non_local.\2."),
    (r"\.nonlocal(\d+)\.bn\.", r".\1.non_local.norm."),
    (r"\.(res\d)\.res(\d+)\.", r".\1.\2."),
    (r"\.branch1\.", ".shortcut.0."),
    (r"\.branch1_bn\.", ".shortcut.1."),
    (r"\.branch2\.a\.", ".conv1.0."),
    (r"\.branch2\.a_bn\.", ".conv1.1."),
    (r"\.branch2\.b\.", ".conv2.0."),
    (r"\.branch2\.b_bn\.", ".conv2.1."),
    (r"\.branch2\.c\.", ".conv3.0."),
    (r"\.branch2\.c_bn\.", ".conv3.1."),
)
_BOTH = renamed(*_PYTORCHVIDEO, *_PYSLOWFAST)

MAPS = {
    "slowfast_r50_8x8": _BOTH,
    "slowfast_r101_8x8": _BOTH,
    "slowfast_r101_16x8": _BOTH,
    "slowfast_nl_r50_8x8": _BOTH,
    "slowfast_nl_r101_16x8": _BOTH,
}
