"""A network is timed on its own input, often enough for a median."""

import dataclasses

import torch
from torch import nn

from har_demo.models.registry import card
from har_demo.profiling.timing import milliseconds, processor


def test_the_network_is_fed_its_own_input_again_and_again():
    seen = []

    class Counted(nn.Module):
        def forward(self, *inputs):
            assert not self.training and torch.is_inference_mode_enabled()
            seen.append(tuple(tuple(one.shape) for one in inputs))

    spec = dataclasses.replace(card("two_stream_lab"), build=lambda classes: Counted())
    taken = milliseconds(spec, torch.device("cpu"), seconds=0.001)
    assert taken > 0 and set(seen) == {spec.input.shapes()} and len(seen) > 3


def test_the_processor_has_a_name():
    assert processor().strip()
