"""The non-local block does what its equations say, and its networks are the published ones."""

import itertools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from har_demo.models.attention import attention_maps
from har_demo.models.non_local import NonLocal, insert, rows
from har_demo.models.registry import card
from har_demo.models.resnet3d import C2D, I3D, BottleneckNet
from har_demo.profiling.cost import gmacs, parameters

FUNCTIONS = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")


def trained(block: NonLocal, seed: int = 0) -> NonLocal:
    """With weights and statistics that leave no term of the equations without effect."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.normal_(std=0.5, generator=generator)
        block.norm.running_mean.normal_(generator=generator)
        block.norm.running_var.uniform_(0.5, 1.5, generator=generator)
    return block.eval()


@pytest.fixture
def x():
    return torch.randn(2, 8, 3, 4, 6, generator=torch.Generator().manual_seed(1))


# Counted by running public code: parameters; GMACs of all positions; GMACs sub-sampled.
@pytest.mark.parametrize(
    ("function", "count", "full", "sub"),
    [
        ("gaussian", 1_052_160, 1.766, 1.058),
        ("embedded_gaussian", 2_101_760, 2.274, 1.802),
        ("dot_product", 2_101_760, 2.274, 1.802),
        # The public code multiplies w_f by every pair's 2d channels (2.588 and 1.880 GMACs); the
        # split needs as good as nothing, so what is left is θ, φ, g, W_z and the sum over j.
        ("concatenation", 2_102_784, 2.588 - 784 * 784 * 1024e-9, 1.880 - 784 * 196 * 1024e-9),
    ],
)
def test_size_and_cost(function, count, full, sub):
    shape = (1, 1024, 4, 14, 14)
    with torch.device("meta"):
        everywhere = NonLocal(1024, function)
        pooled = NonLocal(1024, function, subsample=True)
    assert parameters(everywhere) == parameters(pooled) == count
    assert gmacs(everywhere, shape) == pytest.approx(full, abs=2e-3)
    assert gmacs(pooled, shape) == pytest.approx(sub, abs=2e-3)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_identity_until_trained(function, x):
    block = NonLocal(8, function, subsample=True)
    assert torch.equal(block.train()(x), x)
    assert torch.equal(block.eval()(x), x)
    assert not torch.allclose(trained(block)(x), x, atol=0.1)


def test_the_embedded_gaussian_is_softmax_attention_written_out(x):
    """softmax(xᵀ W_θᵀ W_φ x) g(x). With the lecture's W_φᵀ there is no such product."""
    block = trained(NonLocal(8))
    for layer in (block.theta, block.phi):
        torch.nn.init.zeros_(layer.bias)
    w_theta, w_phi = (layer.weight[:, :, 0, 0, 0] for layer in (block.theta, block.phi))  # d×C
    flat = x.flatten(2)  # C×N, as in the lecture
    f = (flat.mT @ w_theta.T @ w_phi @ flat).softmax(dim=-1)
    y = (f @ rows(block.g(x))).mT.unflatten(2, x.shape[2:])
    torch.testing.assert_close(block(x), x + block.norm(block.w_z(y)))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        w_theta.T @ w_phi.T


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_of_a_pair_as_the_paper_defines_it(function, x):
    """Equations 2 to 5, one pair of positions at a time."""
    block = trained(NonLocal(8, function))
    theta, phi, g = (features[0].flatten(1).T for features in block.embed(x))
    pair = {
        "gaussian": lambda i, j: (theta[i] @ phi[j]).exp(),
        "embedded_gaussian": lambda i, j: (theta[i] @ phi[j]).exp(),
        "dot_product": lambda i, j: theta[i] @ phi[j],
        "concatenation": lambda i, j: (block.w_f.weight[0] @ torch.cat((theta[i], phi[j]))).relu(),
    }[function]
    if function == "gaussian":
        assert torch.equal(theta, x[0].flatten(1).T) and torch.equal(phi, theta)
    positions = len(phi)
    with torch.no_grad():
        f = torch.stack([pair(7, j) for j in range(positions)])
        y = (f @ g) / (f.sum() if "gaussian" in function else positions)
        expected = block.norm(block.w_z(y.view(1, -1, 1, 1, 1))).flatten()
        got = (block(x) - x)[0].flatten(1)[:, 7]
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_scaling_divides_by_the_root_of_the_compared_channels(x):
    for function, compared in (("embedded_gaussian", 4), ("gaussian", 8)):
        plain, scaled = (trained(NonLocal(8, function, scale=s)) for s in (False, True))
        theta, phi, _ = map(rows, plain.embed(x))
        expected = (theta @ phi.mT / compared**0.5).softmax(dim=-1)
        torch.testing.assert_close(scaled.attention(x)[0].weights[:, 0], expected)
        assert not torch.allclose(plain(x), scaled(x), atol=1e-3)


def test_pooling_before_and_after_the_convolutions_differ(x):
    after, before = (trained(NonLocal(8, subsample=True, pool_first=p)) for p in (False, True))
    assert not torch.allclose(after(x), before(x), atol=1e-3)
    quarter = torch.nn.functional.max_pool3d(x, (1, 2, 2))
    assert torch.equal(before.embed(x)[1], before.phi(quarter))
    shape = (1, 8, 3, 4, 6)
    # Three quarters of the positions of two convolutions from 8 to 4 channels.
    assert gmacs(after, shape) - gmacs(before, shape) == pytest.approx(2 * 54 * 8 * 4 / 1e9)


@pytest.mark.parametrize(
    ("function", "subsample", "pool_first"),
    [*itertools.product(FUNCTIONS, (False, True), (False, True))],
)
def test_the_map_times_g_is_what_w_z_gets(function, subsample, pool_first, x):
    block = trained(NonLocal(8, function, subsample, pool_first=pool_first))
    received = []
    block.w_z.register_forward_pre_hook(lambda _, inputs: received.append(inputs[0]))
    with torch.no_grad():
        block(x)
        (found,) = block.attention(x)
        y = found.weights[:, 0] @ rows(block.embed(x)[2])
    torch.testing.assert_close(y, rows(received[0]))
    assert found.query_grid == (3, 4, 6)
    assert found.key_grid == ((3, 2, 3) if subsample else (3, 4, 6))
    if "gaussian" in function:
        torch.testing.assert_close(found.weights.sum(-1), torch.ones(2, 1, 72))


class Largest(TorchDispatchMode):
    """The most numbers that any result held."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **kwargs or {})
        if isinstance(result, torch.Tensor):
            self.numbers = max(self.numbers, result.numel())
        return result


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_question_about_two_positions_never_builds_the_full_table(function):
    block = trained(NonLocal(8, function))
    x = torch.randn(1, 8, 8, 16, 16)  # 2048 positions: 16,384 numbers, the full table 4,194,304
    at = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.25, 0.99]])
    with torch.no_grad(), Largest() as largest:
        (found,) = block.attention(x, at)
    assert 0 < largest.numbers <= x.numel()
    assert found.queries.tolist() == [0, (4 * 16 + 4) * 16 + 15]
    everywhere = block.attention(x)[0].weights
    torch.testing.assert_close(found.weights, everywhere[:, :, found.queries])


def test_found_inside_a_network_by_name(x):
    network = torch.nn.Sequential(torch.nn.Conv3d(8, 8, 1), trained(NonLocal(8, subsample=True)))
    found = attention_maps(network, x, at=torch.tensor([[0.5, 0.5, 0.5]]))
    assert list(found) == ["1"]
    assert found["1"][0].weights.shape == (2, 1, 1, 18)


def test_the_order_of_positions_does_not_matter(x):
    """No position embedding: shuffled in, shuffled out."""
    block = trained(NonLocal(8))
    order = torch.randperm(72, generator=torch.Generator().manual_seed(2))

    def shuffled(t):
        return t.flatten(2)[:, :, order].unflatten(2, x.shape[2:])

    torch.testing.assert_close(block(shuffled(x)), shuffled(block(x)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_in_half_precision_and_other_memory_order(function, x):
    block = trained(NonLocal(8, function, subsample=True))
    with torch.no_grad():
        expected = block(x)
        last = block(x.to(memory_format=torch.channels_last_3d))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = block(x)
    torch.testing.assert_close(last, expected, atol=1e-5, rtol=1e-5)
    assert (half - expected).abs().mean() < 0.05 * expected.abs().mean()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("i3d_nl_r50", ["res3.1", "res3.3", "res4.1", "res4.3", "res4.5"]),
        ("i3d_nl_r50_32", ["res3.1", "res3.3", "res4.1", "res4.3", "res4.5"]),
        ("i3d_nl_lab", ["res3.1", "res4.1"]),
    ],
)
def test_blocks_stand_behind_every_other_block_of_two_stages(name, expected):
    with torch.device("meta"):
        network = card(name).build(5)
    found = [n for n, m in network.named_modules() if isinstance(m, NonLocal)]
    assert found == [f"{place}.non_local" for place in expected]


def test_a_trained_network_scores_the_same_until_its_new_blocks_are_trained():
    torch.manual_seed(0)
    plain = BottleneckNet(5, I3D, (1, 2, 2, 1), width=8).eval()
    x = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        before = plain(x)
        network = insert(plain, (1,), (1,))
        assert torch.equal(network(x), before)
        trained(network.res3[1].non_local)
        assert not torch.allclose(network(x), before, atol=1e-3)


def test_a_network_shows_where_one_place_of_the_clip_looks():
    network = card("i3d_nl_lab").build(5).eval()
    clip = torch.randn(1, 3, 16, 64, 64, generator=torch.Generator().manual_seed(0))
    found = attention_maps(network, clip, at=torch.tensor([[0.5, 0.5, 0.5]]))
    assert list(found) == ["res3.1.non_local", "res4.1.non_local"]
    for name, side in (("res3.1.non_local", 8), ("res4.1.non_local", 4)):
        (seen,) = found[name]
        assert seen.query_grid == seen.key_grid == (8, side, side)
        assert seen.weights.shape == (1, 1, 1, 8 * side * side)
        assert seen.weights.sum().item() == pytest.approx(1, abs=1e-4)


@torch.no_grad()
def test_c2d_sees_the_order_of_frames_no_more_with_blocks_that_cannot_tell_it():
    """What the block adds to C2D is reach, not order: it treats frames as a set."""
    torch.manual_seed(0)
    network = insert(BottleneckNet(5, C2D, (1, 2, 2, 1), width=8), (1,), (1,)).eval()
    for stage in (network.res3, network.res4):
        trained(stage[1].non_local)
    x = torch.randn(1, 3, 8, 32, 32)
    swapped = x[:, :, [2, 3, 0, 1, 6, 7, 4, 5]]
    torch.testing.assert_close(network(x), network(swapped), atol=1e-4, rtol=1e-4)
