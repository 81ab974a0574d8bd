"""craston/MARS says bn for a norm and downsample for the shortcut, as most ResNets do."""

from .rename import renamed

_RESNEXT = renamed((r"(^|\.)bn([123])\.", r"\1norm\2."), (r"\.downsample\.", ".shortcut."))

MAPS = {"mars": _RESNEXT, "mars_64": _RESNEXT, "mars_flow": _RESNEXT}
