"""mmaction2's names: TSN's for the ResNet-50, and the authors' for the relations."""

from .rename import renamed
from .tsn import RESNET50

MAPS = {
    "trn_r50": renamed(
        *RESNET50,
        (r"^cls_head\.fc_cls\.", "fc."),
        # Each scale is a list of ReLU, g, ReLU and h.
        (r"^cls_head\.consensus\.fc_fusion_scales\.(\d)\.1\.", r"relations.\1.g."),
        (r"^cls_head\.consensus\.fc_fusion_scales\.(\d)\.3\.", r"relations.\1.h."),
    ),
}
