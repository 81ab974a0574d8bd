"""Three publishers of one network: torchvision, the authors, and mmaction2, which follows the authors.

torchvision counts stages and mergings in one list; the others keep each merging at the end of the stage
before it. The tables of relative positions follow from the window's size, so that nobody needs them.
"""

from .rename import renamed

_SWIN = renamed(
    # torchvision
    *((rf"^features\.{2 * i}\.", f"stages.{i}.blocks.") for i in range(4)),
    *((rf"^features\.{2 * i - 1}\.", f"stages.{i}.merge.") for i in range(1, 4)),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.3\.", ".fc2."),
    # the authors and mmaction2
    (r"^backbone\.", ""),
    *((rf"^layers\.{i - 1}\.downsample\.", f"stages.{i}.merge.") for i in range(1, 4)),
    (r"^layers\.", "stages."),
    (r"\.mlp\.fc", ".fc"),
    (r"^norm3\.", "norm."),
    (r"^cls_head\.fc_cls\.", "head."),
    # all of them
    (r"\.relative_position_bias_table$", ".bias_table"),
    drop=(r"\.relative_position_index$",),
)

MAPS = dict.fromkeys(("swin3d_t", "swin3d_s", "swin3d_b", "swin3d_l", "swin3d_l_384"), _SWIN)
