"""The lecture's errata: the table is well formed, and its figures are what our networks count."""

import math
import re

import pytest
import torch
from torch import nn
from torchvision import models as images

from har_demo.models import registry
from har_demo.models.compact_global import CGNL
from har_demo.models.non_local import NonLocal
from har_demo.profiling import layers, published_costs
from har_demo.profiling.cost import gmacs, parameters
from har_demo.tables import errata

ERRATA = errata.load()
FIGURE = re.compile(r"(\d+(?:\.\d+)?) (GMACs|M parameters|times)")


# What the figures are counted from


def size(name: str, classes: int | None = None) -> float:
    """Parameters of a card's network, in millions."""
    card = registry.card(name)
    return parameters(published_costs.meta_network(card, classes or len(card.classes))) / 1e6


def cost(name: str, frames: int | None = None, side: int | None = None, classes: int = 0) -> float:
    """GMACs of one view of a card's network."""
    card = registry.card(name)
    frames, side = frames or card.input.frames, side or card.input.crop[0]
    return published_costs.count(card, classes or len(card.classes), frames, side)[1]


def picture(name: str, side: int = 224) -> float:
    """GMACs of one of torchvision's image networks."""
    with torch.device("meta"):
        return gmacs(getattr(images, name)(), (1, 3, side, side))


def lecture_row(name: str, column: str) -> float:
    """A number of the lecture's table of C3D and of what stands beside it there."""
    header, *rows = layers.beside_the_lecture(registry.card("c3d"))
    row = next(row for row in rows if row[0].split(" ")[0] == name)
    return float(row[header.index(column)].split(" ")[0])


def as_the_lecture_sizes_it(name: str) -> float:
    return lecture_row(name, "GMACs of the size printed")


def block(module: nn.Module) -> float:
    """GMACs of a block at the 784 places of 4 × 14 × 14, in the 1024 channels of ResNet's res4."""
    return gmacs(module, (1, 1024, 4, 14, 14))


def vgg_convolutions() -> float:
    linear = 25088 * 4096 + 4096 * 4096 + 4096 * 1000
    return picture("vgg16") - linear / 1e9


# Every figure of an erratum that is recomputed: its erratum, as it stands there, and how to count it.
COUNTED = [
    ("E1", "11.10 GMACs", lambda: lecture_row("Conv2", "GMACs here")),
    ("E2", "0.0189 GMACs", lambda: as_the_lecture_sizes_it("FC6")),
    ("E2", "0.0168 GMACs", lambda: lecture_row("FC7", "GMACs here")),
    ("E2", "0.0020 GMACs", lambda: lecture_row("FC8", "GMACs here")),
    ("E2", "27 times", lambda: lecture_row("FC6", "cost printed") / as_the_lecture_sizes_it("FC6")),
    ("E2", "27 times", lambda: lecture_row("FC7", "cost printed") / as_the_lecture_sizes_it("FC7")),
    ("E3", "38.55 GMACs", lambda: cost("c3d", classes=487)),
    ("E3", "38.53 GMACs", lambda: cost("c3d_3x3", classes=487)),
    ("E4", "15.47 GMACs", lambda: picture("vgg16")),
    ("E4", "15.35 GMACs", vgg_convolutions),
    ("E4", "1.85 GMACs", lambda: 512 * 512 * 9 * 28 * 28 / 1e9),
    ("E4", "1.85 GMACs", lambda: picture("vgg16") - 13.62),
    ("E5", "2.49 times", lambda: cost("c3d", classes=487) / picture("vgg16")),
    ("E6", "79.99 M parameters", lambda: size("c3d", 487)),
    ("E6", "65.31 M parameters", lambda: size("c3d_3x3", 487)),
    ("E8", "33.27 M parameters", lambda: size("r3d_18", 200)),
    ("E8", "78.82 M parameters", lambda: size("c3d", 200)),
    ("E8", "64.14 M parameters", lambda: size("c3d_3x3", 200)),
    ("E9", "8.32 M parameters", lambda: size("s3d")),
    ("E9", "71.92 GMACs", lambda: cost("s3d", 64, 224)),
    ("E9", "41.00 GMACs", lambda: cost("s3d_top_heavy", 64, 224)),
    ("E9", "6.86 M parameters", lambda: size("s3d_top_heavy")),
    ("E10", "12.70 M parameters", lambda: size("i3d")),
    ("E10", "12.49 M parameters", lambda: size("i3d", 200)),
    ("E10", "12.29 M parameters", lambda: size("i3d") - (1024 + 1) * 400 / 1e6),
    ("E10", "111.15 GMACs", lambda: cost("i3d", 64, 224)),
    ("E10", "102.34 GMACs", lambda: cost("i3d_flow", 64, 224)),
    ("E10", "213.49 GMACs", lambda: cost("i3d_two_stream", 64, 224)),
    ("E11", "27.66 M parameters", lambda: size("res50_nl", 1000)),
    ("E11", "25.58 M parameters", lambda: size("res50_cgd", 1000)),
    ("E11", "27.20 M parameters", lambda: size("res50_cgnl", 1000)),
    ("E11", "1.64 M parameters", lambda: size("res50_nl", 1000) - size("res50_nl", 200)),
    ("E12", "1.80 GMACs", lambda: block(NonLocal(1024, subsample=True))),
    ("E12", "1.285 GMACs", lambda: block(CGNL(1024))),
    ("E12", "16.35 GMACs", lambda: picture("resnet50", 448)),
    ("E12", "19.49 GMACs", lambda: cost("c2d_r50", 8, 224)),
    ("E16", "12.70 M parameters", lambda: size("i3d")),
    ("E16", "25.37 M parameters", lambda: size("i3d_two_stream")),
    ("E17", "63.70 M parameters", lambda: size("r2plus1d_34")),
    ("E17", "152.36 GMACs", lambda: cost("r2plus1d_34", 32, 112)),
    ("E17", "76.18 GMACs", lambda: cost("r2plus1d_34", 16, 112)),
    ("E18", "59.11 M parameters", lambda: size("i3d_nl_r101")),
    ("E18", "353.77 GMACs", lambda: cost("i3d_nl_r101", 32, 256)),
    ("E19", "83.29 GMACs", lambda: cost("ip_csn_152", 32, 224)),
    ("E19", "108.79 GMACs", lambda: cost("ip_csn_152", 32, 256)),
    ("E20", "152.36 GMACs", lambda: cost("r2plus1d_34", 32, 112)),
    ("E20", "304.71 GMACs", lambda: 2 * cost("r2plus1d_34", 32, 112)),
    ("E28", "87.76 GMACs", lambda: cost("swin3d_t", 32, 224)),
    ("E28", "28.16 M parameters", lambda: size("swin3d_t")),
    ("E28", "165.68 GMACs", lambda: cost("swin3d_s", 32, 224)),
    ("E28", "49.82 M parameters", lambda: size("swin3d_s")),
    ("E28", "281.33 GMACs", lambda: cost("swin3d_b", 32, 224)),
    ("E28", "88.05 M parameters", lambda: size("swin3d_b")),
    ("E28", "603.27 GMACs", lambda: cost("swin3d_l", 32, 224)),
    ("E28", "196.95 M parameters", lambda: size("swin3d_l")),
    ("E28", "2106.38 GMACs", lambda: cost("swin3d_l_384", 32, 384)),
    ("E28", "200.00 M parameters", lambda: size("swin3d_l_384")),
    ("E28", "43.88 GMACs", lambda: cost("swin3d_t", 16, 224)),
    ("E29", "60.08 M parameters", lambda: size("slowfast_nl_r101_16x8")),
    ("E29", "182.98 GMACs", lambda: cost("slowfast_nl_r101_16x8", 64, 224)),
    ("E29", "242.01 GMACs", lambda: cost("slowfast_nl_r101_16x8", 64, 256)),
    ("E30", "11.09 M parameters", lambda: size("x3d_xl")),
    ("E30", "36.65 GMACs", lambda: cost("x3d_xl", 16, 312)),
    ("E30", "49.45 GMACs", lambda: cost("x3d_xl", 16, 356)),
]

# The larger Swin networks, half a second and more each; the smallest and the halved one are counted daily.
LARGE = {("E28", f"{figure} GMACs") for figure in ("165.68", "281.33", "603.27", "2106.38")}

# Figures that other papers print: there is nothing to count.
RECALLED = {("E18", "54.3 M parameters")}


@pytest.mark.parametrize(
    ("erratum", "figure", "count"),
    [pytest.param(*one, marks=pytest.mark.nightly) if one[:2] in LARGE else one for one in COUNTED],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_figure_is_what_is_counted(erratum, figure, count):
    """To the last digit that is given."""
    assert figure in f"{ERRATA[erratum].right} {ERRATA[erratum].why}"
    number = FIGURE.fullmatch(figure).group(1)
    decimals = len(number.partition(".")[2])
    assert round(count(), decimals) == float(number)


def test_every_recomputed_figure_is_counted():
    counted = {(erratum, figure) for erratum, figure, _ in COUNTED}
    stated = {
        (e.id, found.group())
        for e in ERRATA.values()
        if e.recomputed
        for found in FIGURE.finditer(f"{e.right} {e.why}")
    }
    assert stated - counted == RECALLED


def test_c3d_has_eleven_layers_and_4x4_places_after_pool5():
    found = layers.layers(registry.card("c3d"))
    assert ERRATA["E7"].right == str(sum(layer.gmacs > 0 for layer in found))
    pool5 = [layer for layer in found if layer.kind == "max_pool3d"][-1]
    assert ERRATA["E6"].right.startswith("×".join(map(str, pool5.output)))
    assert f"{math.prod(pool5.output)} inputs" in ERRATA["E6"].right


def test_what_the_blocks_add_is_the_difference_that_is_printed():
    """Res50-CGD's 17.88 is taken for the network without a block, as a descriptor costs nothing."""
    assert block(NonLocal(1024, subsample=True)) == pytest.approx(19.67 - 17.88, abs=0.015)
    assert block(CGNL(1024)) == pytest.approx(19.16 - 17.88, abs=0.015)


def test_the_lectures_sums_follow_from_its_own_errors():
    printed = [line.printed_cost or 0 for line in layers.printed_layers()]
    assert sum(printed) == pytest.approx(39.50) and "39.50" in ERRATA["E3"].why
    assert f"{39.5 / 13.6:.1f} follows" in ERRATA["E5"].why
    assert picture("alexnet") == pytest.approx(0.7, abs=0.05)  # the lecture is right there


# The table


def test_all_31_are_there_once_and_in_order():
    assert list(ERRATA) == [f"E{number}" for number in range(1, 32)]


def test_the_texts_are_plain():
    for erratum in ERRATA.values():
        words = " ".join(vars(erratum).values())
        assert not re.search(r"[<>*_`$\\{}]|\s\s", words), erratum.id
        assert re.match(r"lines? \d|the whole lecture", erratum.place), erratum.id
        assert erratum.why.endswith("."), erratum.id


GOOD = "E1,line 1,this,that,because,recomputed"


@pytest.mark.parametrize(
    ("lines", "number", "words"),
    [
        ([], 1, "columns"),
        (["id,place"], 1, "columns"),
        ([",".join(errata.COLUMNS), GOOD, "E2,line 2,this,that"], 3, "4 cells"),
        ([",".join(errata.COLUMNS), GOOD, GOOD], 3, "E1 stands there twice"),
        ([",".join(errata.COLUMNS), GOOD.replace("that", "")], 2, "'right' is empty"),
        ([",".join(errata.COLUMNS), GOOD.replace("that", " that")], 2, "blanks"),
        ([",".join(errata.COLUMNS), GOOD.replace("E1", "1")], 2, "'1' is no id"),
        ([",".join(errata.COLUMNS), GOOD.replace("recomputed", "guessed")], 2, "'guessed'"),
        ([",".join(errata.COLUMNS), GOOD + " and recomputed"], 2, "status"),
        ([",".join(errata.COLUMNS), GOOD + ' and "bad'], 2, "status"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_row_is_named_with_its_file_and_line(tmp_path, lines, number, words):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"table\.csv, line {number}: .*{words}"):
        errata.load(path)


def test_several_ways_of_knowing_are_joined(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(",".join(errata.COLUMNS) + f"\n{GOOD} and unverified\n")
    (erratum,) = errata.load(path).values()
    assert erratum.recomputed and erratum.status == "recomputed and unverified"
