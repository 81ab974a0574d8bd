"""Names of the classes that public weights know, in the order of their outputs."""

from importlib.resources import files

from torchvision.models.video import R3D_18_Weights


def read(name: str) -> tuple[str, ...]:
    """The lines of a list beside this file: one class a line."""
    return tuple((files(__name__) / f"{name}.txt").read_text(encoding="utf-8").splitlines())


KINETICS400: tuple[str, ...] = tuple(R3D_18_Weights.KINETICS400_V1.meta["categories"])
"""Kinetics-400 in alphabetical order, as torchvision, mmaction2 and DeepMind list it."""

UCF101: tuple[str, ...] = read("ucf101")
"""UCF101's names as words, in the order of its classInd.txt: alphabetical, capitals ignored."""

HMDB51: tuple[str, ...] = read("hmdb51")
"""HMDB51's names with blanks for underscores, in alphabetical order, as MARS's outputs and others list them."""

SPORTS1M: tuple[str, ...] = read("sports1m")
"""Sports-1M's 487 sports as Wikipedia names them, in the order of C3D's outputs (DavideA/c3d-pytorch)."""

SOMETHING_V1: tuple[str, ...] = read("something_v1")
"""Something-Something V1's 174 templates, in the order of mmaction2's label map (tools/data/sthv1)."""

SOMETHING_V2: tuple[str, ...] = read("something_v2")
"""Something-Something V2's 174 templates, in the alphabetical order of its own and of mmaction2's label map."""
