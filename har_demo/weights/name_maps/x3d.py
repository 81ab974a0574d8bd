"""pytorchvideo's names for XS to L; PySlowFast's for XL, which is built as there.

pytorchvideo's stem has its names crossed: what it calls conv_t is the convolution over space.
"""

from .rename import renamed

_PYTORCHVIDEO = renamed(
    (r"^blocks\.0\.conv\.conv_t\.", "stem_space."),
    (r"^blocks\.0\.conv\.conv_xy\.", "stem_time."),
    (r"^blocks\.0\.norm\.", "stem_norm."),
    (r"^blocks\.5\.pool\.pre_conv\.", "conv5."),
    (r"^blocks\.5\.pool\.pre_norm\.", "conv5_norm."),
    (r"^blocks\.5\.pool\.post_conv\.", "fc1."),
    (r"^blocks\.5\.proj\.", "fc2."),
    (r"^blocks\.(\d)\.res_blocks\.", r"layer\1."),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".widen."),
    (r"\.branch2\.norm_a\.", ".widen_norm."),
    (r"\.branch2\.conv_b\.", ".depthwise."),
    (r"\.branch2\.norm_b\.0\.", ".depthwise_norm."),
    (r"\.branch2\.norm_b\.1\.block\.0\.", ".weigh.squeeze."),
    (r"\.branch2\.norm_b\.1\.block\.2\.", ".weigh.excite."),
    (r"\.branch2\.conv_c\.", ".narrow."),
    (r"\.branch2\.norm_c\.", ".narrow_norm."),
)
_PYSLOWFAST = renamed(
    (r"^s1\.pathway0_stem\.conv_xy\.", "stem_space."),
    (r"^s1\.pathway0_stem\.conv\.", "stem_time."),
    (r"^s1\.pathway0_stem\.bn\.", "stem_norm."),
    (r"^s2\.pathway0_res", "layer1."),
    (r"^s3\.pathway0_res", "layer2."),
    (r"^s4\.pathway0_res", "layer3."),
    (r"^s5\.pathway0_res", "layer4."),
    (r"^head\.conv_5\.", "conv5."),
    (r"^head\.conv_5_bn\.", "conv5_norm."),
    (r"^head\.lin_5\.", "fc1."),
    (r"^head\.projection\.", "fc2."),
    (r"\.branch1\.", ".shortcut.0."),
    (r"\.branch1_bn\.", ".shortcut.1."),
    (r"\.branch2\.a\.", ".widen."),
    (r"\.branch2\.a_bn\.", ".widen_norm."),
    (r"\.branch2\.b\.", ".depthwise."),
    (r"\.branch2\.b_bn\.", ".depthwise_norm."),
    (r"\.branch2\.se\.fc1\.", ".weigh.squeeze."),
    (r"\.branch2\.se\.fc2\.", ".weigh.excite."),
    (r"\.branch2\.c\.", ".narrow."),
    (r"\.branch2\.c_bn\.", ".narrow_norm."),
)

MAPS = dict.fromkeys(("x3d_xs", "x3d_s", "x3d_m", "x3d_l"), _PYTORCHVIDEO)
MAPS["x3d_xl"] = _PYSLOWFAST
