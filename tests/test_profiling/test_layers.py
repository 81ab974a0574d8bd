"""The lines of a network add up to what is counted of the whole, and tell where it is spent."""

import csv
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from typer.testing import CliRunner

from har_demo import cli
from har_demo.models import registry
from har_demo.profiling import layers
from har_demo.profiling.cost import gmacs, parameters
from tests.networks import on_meta

C3D = registry.card("c3d")


def costs_layers(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(cli.app, ["costs", "--layers", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def card_of(build, frames: int = 4, side: int = 8):
    """C3D's card with another network in it."""
    return replace(C3D, build=build, input=replace(C3D.input, frames=frames, crop=(side, side)))


def lines(build) -> dict[str, layers.Layer]:
    return {layer.name: layer for layer in layers.layers(card_of(build), classes=3)}


@pytest.mark.parametrize("name", ["c3d", "i3d_two_stream_lab", "lrcn_lab", "swin_lab", "mvit_v2_s"])
def test_lines_add_up_to_the_whole(name):
    card = registry.card(name)
    network = on_meta(name)
    found = layers.layers(card)
    assert sum(layer.parameters for layer in found) == parameters(network) == card.parameters
    assert sum(layer.gmacs for layer in found) == pytest.approx(
        gmacs(network, *card.input.shapes()), rel=1e-9
    )


def test_c3d_is_convolutions_linear_layers_and_pools():
    found = layers.layers(C3D)
    assert [layer.kind for layer in found if layer.gmacs] == ["Conv3d"] * 8 + ["Linear"] * 3
    pools = [layer for layer in found if layer.kind == "max_pool3d"]
    assert [pool.window for pool in pools] == ["1×2×2"] + ["2×2×2"] * 4
    assert [pool.output for pool in pools][-1] == (512, 1, 4, 4)
    assert sum(layer.gmacs for layer in found) == pytest.approx(C3D.gmacs, abs=5e-4)


def test_windows_and_shapes_are_of_the_real_modules():
    def build(classes):
        return nn.Sequential(
            nn.Conv3d(3, 8, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False),
            nn.ReLU(),
            nn.Conv3d(8, 8, 3, padding=1, groups=4),
            nn.MaxPool3d(2),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
            nn.Linear(8, classes),
        )

    found = lines(build)
    assert list(found) == ["0", "2", "3", "4", "5", "6"]  # a ReLU changes nothing
    assert found["0"].window == "1×3×3, stride 1×2×2" and found["0"].output == (8, 4, 4, 4)
    assert found["0"].parameters == 8 * 3 * 9
    assert found["0"].gmacs == pytest.approx(8 * 3 * 9 * 4 * 4 * 4 / 1e9)
    assert found["2"].window == "3×3×3, 4 groups"
    assert found["2"].gmacs == pytest.approx(8 * 2 * 27 * 4 * 4 * 4 / 1e9)
    assert found["3"].window == "2×2×2, stride 2×2×2" and found["3"].output == (8, 2, 2, 2)
    assert found["6"].window == "8 → 3" and found["6"].output == (3,)


class Attends(nn.Module):
    """Two layers, one of them run twice, and a product between them."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(8, 16, bias=False)
        self.scale = nn.Parameter(torch.ones(7))
        self.unused = nn.Linear(4, 4)
        self.unused.weight = nn.Parameter(torch.ones(4, 4))

    def forward(self, x):
        q, k = self.project(x), self.project(x)
        return F.avg_pool3d(q @ k.transpose(-1, -2), (1, 2, 2))


def test_what_is_beside_the_layers_has_a_line_of_its_own():
    found = lines(lambda classes: nn.Sequential(Attends()))
    rows = 3 * 4 * 8
    assert list(found) == ["0.project", "0.avg_pool3d", "0", "0.unused"]
    assert found["0.project"].runs == 2
    assert found["0.project"].gmacs == pytest.approx(2 * rows * 8 * 16 / 1e9)
    assert found["0.project"].parameters == 8 * 16
    assert found["0"].kind == "Attends, other" and found["0"].parameters == 7
    assert found["0"].gmacs == pytest.approx(rows * 8 * 16 / 1e9)
    assert found["0.avg_pool3d"].window == "1×2×2"
    assert found["0.avg_pool3d"].output == (3, 4, 4, 4)
    assert found["0.unused"].output == () and found["0.unused"].parameters == 20


def test_a_shared_parameter_counts_where_it_is_met_first():
    def build(classes):
        network = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
        network[1].weight = network[0].weight
        return network

    found = lines(build)
    assert [found[name].parameters for name in "01"] == [8 * 8 + 8, 8]


def test_the_lectures_table_is_as_it_is_printed():
    printed = layers.printed_layers()
    assert len(printed) == 17
    costs = [line.printed_cost for line in printed if line.printed_cost is not None]
    assert len(costs) == 11 and sum(costs) == pytest.approx(39.50)
    assert {line.printed_unit for line in printed if line.printed_cost} == {"MFLOPs"}


def test_the_true_numbers_stand_beside_the_lectures():
    rows = {row[0].split(" ")[0]: row for row in layers.beside_the_lecture(C3D)[1:]}
    for name, row in rows.items():
        if name not in ("Pool5", "FC8", "sum"):
            assert row[1] == row[2], name
    assert rows["Pool5"][1:3] == ("512×1×3×3", "512×1×4×4")
    ratios = {name: float(row[5]) for name, row in rows.items() if row[5]}
    assert all(ratios[name] == pytest.approx(1, abs=0.011) for name in ratios if "Conv" in name)
    assert ratios["FC6"] == pytest.approx(27, abs=0.3)
    assert ratios["FC7"] == pytest.approx(27, abs=0.3)
    assert ratios["FC8"] == pytest.approx(27, abs=2.8)  # 0.05 is printed with one digit
    assert rows["FC6"][4] == "0.0189" and rows["FC6"][6] == "0.0336"
    assert rows["sum"][3:] == ("39.50", "38.5343", "1.03", "38.5490")


def test_the_command_prints_layers_and_the_lectures_table(tmp_path):
    out = tmp_path / "layers.csv"
    printed = costs_layers("c3d", "--out", str(out))
    for words in ("conv5b", "11.10 MFLOPs", "512×1×3×3", "27.02", "E1:", "E7:"):
        assert words in printed
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == layers.COLUMNS and rows[-1][-3:] == ["78409573", "38.5474", "110.65"]


def test_the_lectures_table_is_c3ds_alone():
    printed = costs_layers("r2plus1d_lab")
    assert "lecture" not in printed and "layer1.0" in printed
