"""Pictures of networks, drawn from the shapes that they give a view on its way (profiling.shapes).

A stack of sheets is a volume: a sheet for each moment, as large as there are places, the bar below as
long as there are channels. A bar standing alone is a vector: space is gone.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from har_demo.interface.render import render
from har_demo.profiling.shapes import Lane, Volume, lanes

LARGEST, SMALLEST = 54, 8  # pixels of a sheet's side
SHEETS = 12  # more moments than this are drawn as so many
STEP = (3.4, 2.2)  # pixels right and up from a sheet to the one behind
GAP = 22


@dataclass(frozen=True)
class _Box:
    """The place of a drawn volume: its left edge, width, side, and sheets."""

    volume: Volume
    left: float
    wide: float
    side: float
    sheets: int


def picture(model: str, hue: int) -> Markup:
    """Draw the network of that name as SVG in a family's colour; '' for what is none."""
    return drawn(lanes(model), hue)


def drawn(paths: tuple[Lane, ...], hue: int) -> Markup:
    """Draw paths beside each other as SVG; '' for none."""
    if not paths:
        return Markup()
    rows = [_row(number, lane) for number, lane in enumerate(paths)]
    return render(
        "lecture/picture",
        hue=hue,
        width=round(max(row["width"] for row in rows)),
        height=ROW * len(rows),
        label="; ".join(_words(lane) for lane in paths),
        rows=rows,
    )


ROW = 128
_FLOOR = 92  # where the sheets stand, within a row


def _row(number: int, lane: Lane) -> dict:
    largest = max(volume.height for volume in lane.volumes)
    boxes, left = [], 6.0
    for volume in lane.volumes:
        side = _side(volume.height, largest) if not volume.flat else 9
        sheets = min(volume.frames, SHEETS)
        wide = max(side + STEP[0] * (sheets - 1), 34)
        boxes.append(_Box(volume, left, wide, side, sheets))
        left += wide + GAP
    return {
        "top": number * ROW,
        "name": lane.name,
        "boxes": [_drawn(box, place == 0) for place, box in enumerate(boxes)],
        "arrows": [{"x": f"{box.left + box.wide + 5:.0f}", "y": _FLOOR - 18} for box in boxes[:-1]],
        "width": left - GAP + 6,
    }


def _side(places: int, largest: int) -> float:
    return max(SMALLEST, LARGEST * math.sqrt(places / largest))


def _drawn(box: _Box, first: bool) -> dict:
    volume = box.volume
    tall = box.side if not volume.flat else 40
    # The last is drawn first, so that the moment in front covers those behind.
    sheets = [
        {
            "x": f"{box.left + STEP[0] * n:.1f}",
            "y": f"{_FLOOR - tall - STEP[1] * n:.1f}",
            "width": f"{box.side:.1f}",
            "height": f"{tall:.1f}",
        }
        for n in reversed(range(box.sheets))
    ]
    size = (
        f"{volume.frames}×{volume.height}²"
        if not volume.flat
        else f"{volume.frames}×"
        if volume.frames > 1
        else ""
    )
    if volume.height != volume.width:
        size = f"{volume.frames}×{volume.height}×{volume.width}"
    return {
        "sheets": sheets,
        "middle": f"{box.left + box.wide / 2:.1f}",
        "left": f"{box.left:.1f}",
        "size": size,
        "channels": _channels(volume, first),
        "bar": f"{min(box.wide, 3 + 4.2 * math.log2(volume.channels)):.1f}",
        "notes": volume.notes,
        "title": volume.words(),
        "input": first,
    }


def _channels(volume: Volume, first: bool) -> str:
    """Return the text under a volume: its channels, of the input its kind."""
    if first and not volume.flat:
        return {3: "RGB", 2: "flow"}.get(volume.channels, str(volume.channels))
    return str(volume.channels)


def _words(lane: Lane) -> str:
    volumes = ", then ".join(volume.words() for volume in lane.volumes)
    return f"{lane.name}: {volumes}" if lane.name else volumes
