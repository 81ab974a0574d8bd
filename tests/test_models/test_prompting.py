"""Ju et al.: as many parameters as the paper's code has, and vectors where they belong."""

import pytest
import torch

from har_demo.models.prompting import PLACES, Prompting, PromptVectors, TemporalTransformer


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize(("layers", "parameters"), [(1, 3_200_000), (2, 6_352_384)])
def test_parameters_at_clips_width(layers, parameters):
    with torch.device("meta"):
        assert count(Prompting(layers=layers)) == parameters


def test_vectors_stand_around_the_name():
    torch.manual_seed(0)
    vectors = PromptVectors(width=4, around=2)
    words = torch.arange(24.0).reshape(2, 3, 4) + 100
    words = torch.cat([words, torch.full((2, 2, 4), 9.0)], dim=1)
    sentences, length = vectors(words, torch.tensor([3, 5]))
    assert sentences.shape == (2, 9, 4) and length.tolist() == [7, 9]
    table = vectors.table.weight
    wanted = torch.cat([words[0, :1], table[:2], words[0, 1:2], table[-2:], words[0, 2:3]])
    assert torch.equal(sentences[0, :7], wanted) and (sentences[0, 7:] == 0).all()
    assert torch.equal(sentences[1, 3:6], words[1, 1:4]) and torch.equal(
        sentences[1, 8], words[1, 4]
    )


def test_only_the_rows_that_are_used_learn():
    vectors = PromptVectors(width=4)
    sentences, _ = vectors(torch.ones(1, 3, 4), torch.tensor([3]))
    sentences.sum().backward()
    used = vectors.table.weight.grad.abs().sum(dim=1) > 0
    assert used.tolist() == [True] * 16 + [False] * (PLACES - 32) + [True] * 16


def test_the_order_of_frames_matters_and_any_number_goes():
    torch.manual_seed(0)
    temporal = TemporalTransformer(width=16, frames=8, heads=2).eval()
    frames = torch.randn(2, 8, 16)
    assert temporal(frames).shape == (2, 16) == temporal(frames[:, :3]).shape
    assert not torch.allclose(temporal(frames), temporal(frames.flip(1)), atol=1e-4)


def test_logits_are_cosines_over_the_temperature():
    torch.manual_seed(0)
    model = Prompting(words=8, width=16, frames=4, heads=2).eval()
    frames, texts = torch.randn(3, 4, 16), torch.randn(5, 16)
    logits = model(frames, texts)
    assert logits.shape == (3, 5) and logits.abs().max() <= 1 / 0.07
    assert torch.allclose(logits, model(frames, 7 * texts), atol=1e-4)


def test_too_many_frames_are_refused():
    with pytest.raises(RuntimeError):
        TemporalTransformer(width=16, frames=4, heads=2)(torch.randn(1, 5, 16))
