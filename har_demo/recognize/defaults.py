"""The models that are asked when nobody chose any."""

from har_demo.models.registry import card
from har_demo.recognize.open_set import KINETICS_MODEL
from har_demo.weights import availability

TWO_TINY = ("slow_fusion_lab", "mfnet_pnl_lab")
"""One that only stacks frames and the one that does best in new places: they differ where it is hard."""


def default_models() -> tuple[str, str]:
    """Return Kinetics' I3D and a tiny model of another family; two tiny ones where I3D's weights are missing."""
    i3d = availability(card(KINETICS_MODEL))
    return (KINETICS_MODEL, TWO_TINY[1]) if i3d.here else TWO_TINY
