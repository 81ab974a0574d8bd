"""Names of VMZ, the authors' code (built on torchvision's), of mmaction2 and of pytorchvideo.

VMZ numbers the layers of nn.Sequential, mmaction2 keeps every convolution with its norm in a module
of its own, and pytorchvideo calls the three convolutions a, b and c.
"""

from .rename import renamed

_MMACTION = (
    (r"^backbone\.conv1\.conv\.", "stem."),
    (r"^backbone\.conv1\.bn\.", "stem_norm."),
    (r"^backbone\.", ""),
    (r"\.conv1\.conv\.", ".reduce."),
    (r"\.conv1\.bn\.", ".reduce_norm."),
    (r"\.conv3\.conv\.", ".expand."),
    (r"\.conv3\.bn\.", ".expand_norm."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"^cls_head\.fc_cls\.", "fc."),
)
_VMZ = (
    (r"^stem\.0\.", "stem."),
    (r"^stem\.1\.", "stem_norm."),
    (r"\.conv1\.0\.", ".reduce."),
    (r"\.conv1\.1\.", ".reduce_norm."),
    (r"\.conv3\.0\.", ".expand."),
    (r"\.conv3\.1\.", ".expand_norm."),
    (r"\.downsample\.", ".shortcut."),
)
_PYTORCHVIDEO = (
    (r"^blocks\.0\.conv\.", "stem."),
    (r"^blocks\.0\.norm\.", "stem_norm."),
    (r"^blocks\.5\.proj\.", "fc."),
    (r"^blocks\.(\d)\.res_blocks\.", r"layer\1."),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".reduce."),
    (r"\.branch2\.norm_a\.", ".reduce_norm."),
    (r"\.branch2\.conv_b\.", ".depthwise."),
    (r"\.branch2\.norm_b\.", ".depthwise_norm."),
    (r"\.branch2\.conv_c\.", ".expand."),
    (r"\.branch2\.norm_c\.", ".expand_norm."),
)
_IR = renamed(
    *_MMACTION,
    *_VMZ,
    *_PYTORCHVIDEO,
    (r"\.conv2\.0\.conv\.", ".depthwise."),
    (r"\.conv2\.0\.bn\.", ".depthwise_norm."),
    (r"\.conv2\.0\.", ".depthwise."),
    (r"\.conv2\.1\.", ".depthwise_norm."),
)
_IP = renamed(
    *_MMACTION,
    *_VMZ,
    (r"\.conv2\.0\.conv\.", ".interact.0."),
    (r"\.conv2\.0\.bn\.", ".interact.1."),
    (r"\.conv2\.1\.conv\.", ".depthwise."),
    (r"\.conv2\.1\.bn\.", ".depthwise_norm."),
    (r"\.conv2\.0\.2\.", ".depthwise."),
    (r"\.conv2\.0\.", ".interact."),
    (r"\.conv2\.1\.", ".depthwise_norm."),
)

MAPS = {"ir_csn_101": _IR, "ir_csn_152": _IR, "ip_csn_101": _IP, "ip_csn_152": _IP}
