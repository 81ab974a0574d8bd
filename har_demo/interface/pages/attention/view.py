"""HTML of the right-hand side of the Attention page, from a forward pass and its maps."""

import json
from base64 import b64encode
from collections.abc import Sequence

import cv2
import numpy as np

from har_demo.explain.attention import AttentionBlock, connections
from har_demo.explain.export import ExplainedAttention, ExplainedClass
from har_demo.explain.functions import TITLES
from har_demo.explain.look import ForwardTrace
from har_demo.explain.picture import cell_of, colours, frame_of, frames_asking
from har_demo.interface import formatting, plots
from har_demo.interface.address import link
from har_demo.interface.render import data_uri, fragment, render
from har_demo.models.registry import cards
from har_demo.weights import availability

WIDTH = 100  # of a frame, in the units of the strip's drawing
SHARP = 200  # pixels of a frame's height as it is sent
FIRST = ("action_transformer_lab", "mfnet_pnl_lab", "mfnet_nl_lab", "i3d_nl_lab")
"""The best to begin with: where the first looks can be seen best; non-local blocks stare at one cell."""
MEAN = -1

METHOD_CHOICES = [
    ("Grad-CAM", "grad-cam"),
    ("Grad-CAM++", "grad-cam++"),
    ("HiResCAM", "hirescam"),
    ("LayerCAM", "layercam"),
    ("Attention rollout (transformers)", "rollout"),
]


def model_choices() -> list[tuple[str, str]]:
    """Titles and names of the networks whose weights are here, those with attention first."""
    here = [card for card in cards().values() if card.gmacs is not None and availability(card).here]
    here.sort(key=lambda c: (not c.attends, FIRST.index(c.name) if c.name in FIRST else len(FIRST)))
    return [
        (card.title if card.attends else f"{card.title}, class activation alone", card.name)
        for card in here
    ]


def missing_models() -> str:
    """The models with attention whose weights are not here, and what fetches them."""
    others = [(card, availability(card)) for card in cards().values() if card.attends]
    return fragment(
        "attention/parts",
        "missing",
        fetch=[
            {"title": card.title, "sentence": found.sentence}
            for card, found in others
            if found.state == "download"
        ],
        missing=[
            {"title": card.title, "sentence": found.sentence}
            for card, found in others
            if found.state == "missing"
        ],
    )


def verdict_shown(
    one: ForwardTrace, shown: str, with_attention: bool, second: float | None = None
) -> str:
    """The model's answer and its input; `second` is the moment that was asked for."""
    name, share = one.top(1)[0]
    return fragment(
        "attention/parts",
        "verdict",
        asked=json.dumps({"clip": one.clip.sha256, "shown": shown}),
        link=json.dumps(link(one.clip, model=one.card.name, second=second)),
        clip=one.clip,
        headline=f"{one.card.title} says '{name}', {formatting.percent(share)}",
        subline=f"{formatting.count(len(one.frames), 'frame')} from {one.seconds[0]:.1f} to "
        f"{one.seconds[-1]:.1f} s of {one.clip.source.name}",
        others=", ".join(f"{other} {formatting.percent(p)}" for other, p in one.top(4)[1:]),
        note=one.note,
        with_attention=with_attention,
    )


def block_choices(every: Sequence[AttentionBlock]) -> list[tuple[str, str]]:
    """Kind and grid of each block, and its name."""
    return [(f"{of.name}: {of.kind}, {_grid(of.query_grid)}", of.name) for of in every]


def head_choices(of: AttentionBlock) -> list[tuple[str, int]]:
    """The mean and every head; CGNL's heads are channels."""
    if of.heads == 1:
        return [("only one", MEAN)]
    one = "channel" if of.kind.startswith("compact") else "head"
    return [(f"mean of {of.heads}", MEAN), *((f"{one} {n}", n) for n in range(of.heads))]


def level_choices(of: AttentionBlock) -> list[tuple[str, int]]:
    """Every level by its regions."""
    return [(_grid(grid), number) for number, grid in enumerate(of.key_grids)]


def function_choices(of: AttentionBlock) -> list[tuple[str, str]]:
    """The four functions of a pair, if the block can have them."""
    if not of.function:
        return []
    return [
        (f"{title} (trained)" if name == of.function else title, name)
        for name, title in TITLES.items()
    ]


def class_choices(one: ForwardTrace) -> list[tuple[str, str]]:
    """Every class with its probability, the likeliest first."""
    return [
        (f"{name}, {formatting.percent(share)}", name) for name, share in one.top(len(one.scores))
    ]


def frames_shown(one: ForwardTrace) -> str:
    """The sampled frames, to be pressed."""
    return fragment("attention/strip", "frames", layout=_layout(one), tiles=_tiles(one))


def overlay_shown(said: ExplainedAttention, values: Sequence[np.ndarray], level: int) -> str:
    """Cells over the frames, the query cell, and lines to the strongest cells of the level."""
    one, found = said.trace, said.result
    layout = _layout(one)
    strongest = connections(found, said.lines, said.head)
    most = max((abs(weight) for _, _, weight in strongest), default=1.0)
    grid = found.block.query_grid
    start = _middle(layout, found.cell, grid)
    lines = []
    for number, cell, weight in strongest:
        if number == level:
            end = _middle(layout, cell, values[level].shape, *found.block.covered)
            lines.append({"path": _path(start, end), "end": end, "share": abs(weight) / most})
    return fragment(
        "attention/strip",
        "overlay",
        layout=layout,
        cells=_cells(layout, values[level], *found.block.covered),
        times=_times(one),
        lines=lines[::-1],
        asking=_asking(layout, found.cell, grid),
        grid=",".join(map(str, grid)),
        query=",".join(map(str, found.cell)),
    )


def scores_shown(
    said: ExplainedAttention, values: np.ndarray, rows: Sequence[dict], changes: bool
) -> str:
    """A legend of the colours, what the map amounts to in sentences, and the four functions."""
    most = float(np.abs(values).max())
    frames = len(said.trace.frames)
    each = frames / values.shape[0]
    return render(
        "attention/scores",
        most=_percent(most) if values.min() >= 0 or changes else f"{most:.3g}",
        signed=bool(values.min() < 0),
        changes=changes,
        cells=_grid(values.shape),
        lasts="each lasts one frame" if each == 1 else f"each lasts {each:.3g} frames",
        words=said.words,
        rows=[
            row
            | {
                "entropy": "no attention" if row["empty"] else f"{row['entropy']:.1f} bits",
                "elsewhere": ""
                if row["own"] or row["empty"]
                else formatting.percent(row["elsewhere"]),
                "independence": "" if row["empty"] else formatting.signed(row["independence"]),
            }
            for row in rows
        ],
        function=said.result.function,
    )


def class_map_shown(said: ExplainedClass) -> str:
    """The frames with the class's map over them, and where it is strongest."""
    one, values = said.trace, said.result.values
    layout = _layout(one)
    return fragment(
        "attention/strip",
        "class_map",
        layout=layout,
        tiles=_tiles(one),
        cells=_cells(layout, values),
        times=_times(one),
        title=said.title,
        words=said.words[:1],
        rollout=said.result.method == "rollout",
    )


def trust_shown(said: ExplainedClass) -> str:
    """Deletion and insertion as curves, and what they and shuffled parameters say."""
    curves = said.trust
    named = (
        ("deletion", "deletion, strongest first", "var(--accent)", "solid"),
        ("deletion_by_chance", "deletion, random order", "var(--accent)", "dot"),
        ("insertion", "insertion, strongest first", "var(--warn)", "solid"),
        ("insertion_by_chance", "insertion, random order", "var(--warn)", "dot"),
    )
    figure = {
        "data": [
            {
                "x": (100 * curves.shares).round(2).tolist(),
                "y": (100 * getattr(curves, name)).round(3).tolist(),
                "name": f"{title}: area {curves.area(name):.2f}",
                "mode": "lines",
                "line": {"color": colour, "dash": dash, "width": 2.5 if dash == "solid" else 1.5},
                "hovertemplate": "%{y:.0f} % at %{x:.0f} % of the cells<extra></extra>",
            }
            for name, title, colour, dash in named
        ],
        "layout": {
            "xaxis": {"title": {"text": "cells deleted or inserted, %"}, "range": [0, 100]},
            "yaxis": {"title": {"text": "probability of the action, %"}, "range": [0, 101]},
            "legend": {"orientation": "h", "y": -0.28, "x": 0},
        },
    }
    label = "Probability of the action under deletion and insertion"
    return fragment(
        "attention/parts", "trust", chart=plots.draw(figure, label, 380), words=said.words[1:]
    )


def _layout(one: ForwardTrace) -> dict:
    """Columns and rows of the strip, and the size of its drawing, whose frames are 100 wide."""
    count = len(one.pictures)
    columns = 4 if count <= 16 else 8
    rows = -(-count // columns)
    tall = round(WIDTH * one.pictures.shape[1] / one.pictures.shape[2], 2)
    return {
        "count": count,
        "columns": columns,
        "rows": rows,
        "wide": WIDTH,
        "tall": tall,
        "width": columns * WIDTH,
        "height": round(rows * tall, 2),
    }


def _corner(layout: dict, frame: int) -> tuple[float, float]:
    row, column = divmod(frame, layout["columns"])
    return column * WIDTH, round(row * layout["tall"], 2)


def _middle(
    layout: dict,
    cell: tuple[int, int, int],
    grid: tuple[int, ...],
    high: float = 1.0,
    wide: float = 1.0,
) -> tuple[float, float]:
    """The centre of a cell in the drawing, on the frame in the middle of its time.

    `high` and `wide` are the shares of a frame that the grid lies on.
    """
    t, i, j = cell
    x, y = _corner(layout, frame_of(t, grid[0], layout["count"]))
    across = (j + 0.5) / grid[2] * wide * WIDTH
    down = (i + 0.5) / grid[1] * high * layout["tall"]
    return round(x + across, 2), round(y + down, 2)


def _path(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A line that bends a little, so that those on top of one another are told apart."""
    (x0, y0), (x1, y1) = start, end
    bend = 0.12
    middle = (x0 + x1) / 2 - bend * (y1 - y0), (y0 + y1) / 2 + bend * (x1 - x0)
    return f"M{x0} {y0} Q{middle[0]:.1f} {middle[1]:.1f} {x1} {y1}"


def _tiles(one: ForwardTrace) -> list[dict]:
    layout = _layout(one)
    return [
        {
            "x": _corner(layout, number)[0],
            "y": _corner(layout, number)[1],
            "image": data_uri(picture, height=SHARP, quality=72),
        }
        for number, picture in enumerate(one.pictures)
    ]


def _times(one: ForwardTrace) -> list[dict]:
    """The moment of every frame, to be written into its corner."""
    layout = _layout(one)
    corners = [_corner(layout, number) for number in range(layout["count"])]
    return [
        {
            "x": x + 3,
            "y": round(y + layout["tall"] - 4, 2),
            "text": formatting.seconds(float(moment)),
        }
        for (x, y), moment in zip(corners, one.seconds, strict=True)
    ]


def _cells(layout: dict, values: np.ndarray, high: float = 1.0, wide: float = 1.0) -> list[dict]:
    """One small picture for every frame, a pixel a cell; the page draws the pixels as boxes."""
    images = [_png(cells) for cells in colours(values)]
    return [
        {
            "x": _corner(layout, frame)[0],
            "y": _corner(layout, frame)[1],
            "width": round(WIDTH * wide, 2),
            "height": round(layout["tall"] * high, 2),
            "image": images[cell_of(frame, layout["count"], len(images))],
        }
        for frame in range(layout["count"])
    ]


def _asking(layout: dict, cell: tuple[int, int, int], grid: tuple[int, ...]) -> list[dict]:
    """The query cell on every frame of its time."""
    t, i, j = cell
    wide, tall = WIDTH / grid[2], layout["tall"] / grid[1]
    return [
        {
            "x": round(_corner(layout, frame)[0] + j * wide, 2),
            "y": round(_corner(layout, frame)[1] + i * tall, 2),
            "width": round(wide, 2),
            "height": round(tall, 2),
        }
        for frame in frames_asking(t, grid[0], layout["count"])
    ]


def _png(rgba: np.ndarray) -> str:
    """A uint8 picture [H, W, 4] in a data: address, pixel for pixel."""
    done = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1]
    return "data:image/png;base64," + b64encode(done.tobytes()).decode()


def _grid(grid: Sequence[int]) -> str:
    return " × ".join(map(str, grid))


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.095 else f"{share * 100:.1f} %"
