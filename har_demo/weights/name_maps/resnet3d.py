"""Public names of residual networks: pytorchvideo's, PySlowFast's, mmaction2's and torchvision's.

Ours number a convolution 0 and its batch norm 1.
"""

from .rename import renamed

PYSLOWFAST = (
    (r"^s1\.pathway0_stem\.conv\.", "stem.0."),
    (r"^s1\.pathway0_stem\.bn\.", "stem.1."),
    (r"^s(\d)\.pathway0_res(\d+)\.", r"res\1.\2."),
    (r"\.branch1\.", ".shortcut.0."),
    (r"\.branch1_bn\.", ".shortcut.1."),
    (r"\.branch2\.a\.", ".conv1.0."),
    (r"\.branch2\.a_bn\.", ".conv1.1."),
    (r"\.branch2\.b\.", ".conv2.0."),
    (r"\.branch2\.b_bn\.", ".conv2.1."),
    (r"\.branch2\.c\.", ".conv3.0."),
    (r"\.branch2\.c_bn\.", ".conv3.1."),
    (r"^head\.projection\.", "fc."),
)

MMACTION = (
    (r"^backbone\.conv1\.conv\.", "stem.0."),
    (r"^backbone\.conv1\.bn\.", "stem.1."),
    (r"^backbone\.layer1\.", "res2."),
    (r"^backbone\.layer2\.", "res3."),
    (r"^backbone\.layer3\.", "res4."),
    (r"^backbone\.layer4\.", "res5."),
    (r"\.(conv[123])\.conv\.", r".\1.0."),
    (r"\.(conv[123])\.bn\.", r".\1.1."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"^cls_head\.fc_cls\.", "fc."),
)

_PYTORCHVIDEO_BLOCKS = (
    (r"^blocks\.0\.conv\.", "stem.0."),
    (r"^blocks\.0\.norm\.", "stem.1."),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".conv1.0."),
    (r"\.branch2\.norm_a\.", ".conv1.1."),
    (r"\.branch2\.conv_b\.", ".conv2.0."),
    (r"\.branch2\.norm_b\.", ".conv2.1."),
    (r"\.branch2\.conv_c\.", ".conv3.0."),
    (r"\.branch2\.norm_c\.", ".conv3.1."),
)

# pytorchvideo numbers whatever comes in turn, and in C2D and I3D pool2 takes the number 2.
PYTORCHVIDEO_POOLED = (
    *_PYTORCHVIDEO_BLOCKS,
    (r"^blocks\.1\.res_blocks\.", "res2."),
    (r"^blocks\.3\.res_blocks\.", "res3."),
    (r"^blocks\.4\.res_blocks\.", "res4."),
    (r"^blocks\.5\.res_blocks\.", "res5."),
    (r"^blocks\.6\.proj\.", "fc."),
)
PYTORCHVIDEO = (
    *_PYTORCHVIDEO_BLOCKS,
    (r"^blocks\.1\.res_blocks\.", "res2."),
    (r"^blocks\.2\.res_blocks\.", "res3."),
    (r"^blocks\.3\.res_blocks\.", "res4."),
    (r"^blocks\.4\.res_blocks\.", "res5."),
    (r"^blocks\.5\.proj\.", "fc."),
)

_TORCHVISION = ((r"\.downsample\.", ".shortcut."),)

# mmaction2's C2D is another network (2D filters, other pooling): `c2d_r50` does not know its names.
MAPS = {
    "c2d_r50": renamed(*PYTORCHVIDEO_POOLED, *PYSLOWFAST),
    "i3d_r50": renamed(*PYTORCHVIDEO_POOLED, *PYSLOWFAST),
    "i3d_r50_32": renamed(*MMACTION),
    "i3d_r101": renamed(*PYSLOWFAST),
    "slow_r50": renamed(*PYTORCHVIDEO, *PYSLOWFAST, *MMACTION),
    "r3d_18": renamed(*_TORCHVISION),
    "mc3_18": renamed(*_TORCHVISION),
}
