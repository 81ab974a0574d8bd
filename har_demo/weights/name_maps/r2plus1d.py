"""torchvision numbers layers inside nn.Sequential, the ReLUs between them included.

The network of 50 layers is pytorchvideo's, which counts the norm between time and space to the two.
"""

from .rename import renamed
from .resnet3d import PYTORCHVIDEO

_TORCHVISION = (
    (r"^stem\.0\.", "stem.space."),
    (r"^stem\.1\.", "stem.norm1."),
    (r"^stem\.3\.", "stem.time."),
    (r"^stem\.4\.", "stem.norm2."),
    (r"\.conv([12])\.1\.", r".norm\1."),
    (r"\.conv([12])\.0\.0\.", r".conv\1.space."),
    (r"\.conv([12])\.0\.1\.", r".conv\1.norm."),
    (r"\.conv([12])\.0\.3\.", r".conv\1.time."),
    (r"\.downsample\.", ".shortcut."),
)

MAPS = {
    "r2plus1d_18": renamed(*_TORCHVISION),
    "r2plus1d_34": renamed(*_TORCHVISION),
    "r2plus1d_r50": renamed(
        (r"\.branch2\.conv_b\.conv_t\.", ".time.0."),
        (r"\.branch2\.conv_b\.norm\.", ".time.1."),
        (r"\.branch2\.conv_b\.conv_xy\.", ".space.0."),
        (r"\.branch2\.norm_b\.", ".space.1."),
        *PYTORCHVIDEO,
    ),
}
