"""The formulas are those of the lecture, and our own modules cost what they say."""

from itertools import combinations

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from har_demo import cli
from har_demo.errors import ChoiceError
from har_demo.models.csn import Bottleneck
from har_demo.models.r2plus1d import Conv2Plus1D, middle_channels
from har_demo.profiling.convolutions import convolutions
from har_demo.profiling.cost import gmacs


def found(*numbers) -> dict:
    return {one.name: one for one in convolutions(*numbers)}


def counted(*parts: nn.Module) -> tuple[int, int]:
    """Weights of the convolutions in modules, and their multiply-adds for 4 × 6 × 6 places."""
    convs = [m for part in parts for m in part.modules() if isinstance(m, nn.Conv3d)]
    macs = sum(gmacs(conv, (1, conv.in_channels, 4, 6, 6)) for conv in convs)
    return sum(conv.weight.numel() for conv in convs), round(macs * 1e9)


def test_our_own_modules_cost_what_the_formulas_say():
    width, ways = 24, found(24, 24, 3, 1, 4, 6)
    full, ip, ir = (
        Bottleneck(8, width, kernel=kernel, preserve=preserve)
        for kernel, preserve in (("full", False), ("depthwise", True), ("depthwise", False))
    )
    split = Conv2Plus1D(width, middle_channels(width, width), width)
    for name, parts in (
        ("ordinary", [full.depthwise]),
        ("(2+1)D", [split]),
        ("ip-separated", [ip.interact, ip.depthwise]),
        ("ir-separated", [ir.depthwise]),
    ):
        assert (ways[name].parameters, ways[name].macs) == counted(*parts), name


@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(8, 8, 1), (8, 12, 4), (6, 6, 6)])
def test_interactions_are_pairs_of_channels_that_an_output_reads(inputs, outputs, groups):
    conv = nn.Conv3d(inputs, outputs, 3, groups=groups, bias=False)
    reads = torch.autograd.functional.jacobian(
        lambda x: conv(x).flatten(), torch.zeros(1, inputs, 3, 3, 3)
    )
    reads = reads.reshape(outputs, inputs, -1).abs().sum(-1) > 0
    pairs = sum(len(list(combinations(row.nonzero().tolist(), 2))) for row in reads)
    assert found(inputs, outputs, 3, groups)["ordinary"].interactions == pairs


def test_groups_divide_what_they_should():
    one, four = found(64, 64, 3, 1)["ordinary"], found(64, 64, 3, 4)["ordinary"]
    assert one.parameters == 64 * 64 * 27 and four.parameters * 4 == one.parameters
    assert one.macs == one.parameters * 8 * 28 * 28
    assert one.interactions == 64 * (64 * 63 // 2)
    assert four.interactions == 64 * (16 * 15 // 2)


def test_reduced_interactions_need_as_many_channels_out_as_in():
    assert not found(64, 128)["ir-separated"].parts
    assert found(64, 128)["ip-separated"].parameters == 64 * 128 + 128 * 27


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((64, 64, 3, 5), "5 groups do not divide"),
        ((64, 64, 2), "kernel's side"),
        ((0, 64), "from 1 on"),
        ((64.5, 64), "whole numbers"),
        ((64, None), "whole numbers"),
        ((64, 100_000), "at most 2048"),
        ((64, 64, 3, 1, 10_000, 10_000), "more places"),
    ],
)
def test_what_cannot_be_gets_a_sentence(numbers, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        convolutions(*numbers)


def test_the_commands_print_it():
    run = CliRunner().invoke
    printed = run(cli.app, ["convolution", "--inputs", "64", "--outputs", "128"]).stdout
    assert "221,184" in printed and "ip-separated" in printed
    assert "groups do not divide" in run(cli.app, ["convolution", "--groups", "7"]).stderr
    short = run(cli.app, ["costs", "--layers", "r3d_lab", "--frames", "8"]).stdout
    assert (
        short.splitlines()[-1]
        != run(cli.app, ["costs", "--layers", "r3d_lab"]).stdout.splitlines()[-1]
    )
    assert "for --layers" in run(cli.app, ["costs", "--frames", "8"]).stderr
