"""mmaction2 keeps backbone and head apart, and every convolution inside a module of its own.

DavideA/c3d-pytorch has our names, but for the two layers that stand alone: it leaves out their 'a'.
"""

from .rename import renamed

_C3D = renamed(
    (r"^backbone\.(conv\d[ab])\.conv\.", r"\1."),
    (r"^backbone\.(fc[67])\.", r"\1."),
    (r"^cls_head\.fc_cls\.", "fc8."),
    (r"^conv([12])\.", r"conv\1a."),
)

MAPS = {"c3d": _C3D, "c3d_sports1m": _C3D}
