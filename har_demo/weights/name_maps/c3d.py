"""mmaction2 keeps backbone and head apart, and every convolution inside a module of its own."""

from .rename import renamed

MAPS = {
    "c3d": renamed(
        (r"^backbone\.(conv\d[ab])\.conv\.", r"\1."),
        (r"^backbone\.(fc[67])\.", r"\1."),
        (r"^cls_head\.fc_cls\.", "fc8."),
    ),
}
