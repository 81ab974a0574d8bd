"""mmaction2's names: TSN's, with the first convolution of each block inside the shift."""

from .rename import renamed
from .tsn import RESNET50

MAPS = {
    "tsm_r50": renamed(
        *RESNET50,
        (r"^features\.(layer\d\.\d+)\.conv1\.net\.", r"features.\1.conv1.conv."),
        (r"^cls_head\.fc_cls\.", "fc."),
    ),
}
