"""pytorch-i3d names layers as TensorFlow does; torchvision's GoogLeNet is I3D before inflation."""

from .rename import renamed

_PYTORCH_I3D = renamed(
    (r"^Conv3d_(1a|2b|2c)_\dx\d\.", r"trunk.conv_\1."),
    (r"^Mixed_(\d\w)\.b0\.", r"trunk.mixed_\1.branch0."),
    (r"^Mixed_(\d\w)\.b([12])a\.", r"trunk.mixed_\1.branch\2.0."),
    (r"^Mixed_(\d\w)\.b([123])b\.", r"trunk.mixed_\1.branch\2.1."),
    (r"^logits\.conv3d\.", "logits."),
    (r"\.conv3d\.", ".conv."),
    (r"\.bn\.", ".norm."),
)

MAPS = {"i3d": _PYTORCH_I3D, "i3d_flow": _PYTORCH_I3D}

GOOGLENET = renamed(
    (r"^conv1\.", "conv_1a."),
    (r"^conv2\.", "conv_2b."),
    (r"^conv3\.", "conv_2c."),
    *(
        (rf"^inception(\d){theirs}\.branch{branch + 1}\.", rf"mixed_\1{ours}.branch{branch}.")
        for theirs, ours in zip("abcde", "bcdef", strict=True)
        for branch in range(4)
    ),
    (r"\.bn\.", ".norm."),
    drop=(r"^fc\.", r"^aux"),
)
"""From the names of torchvision's GoogLeNet to those of I3D's trunk, for `inflate_trunk`. Its last
layer, and the two more it is trained with, know the classes of ImageNet and stay behind."""
