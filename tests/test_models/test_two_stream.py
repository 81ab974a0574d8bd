"""Two-stream networks: the paper's layers, how flow is laid out, and what fusion does to scores."""

import numpy as np
import pytest
import torch
from torch import nn

from har_demo.models.two_stream import (
    Fused3D,
    Stream,
    TemporalStream,
    TwoStream,
    cnn_m_2048,
    fit_svm,
    inception_v1,
    stacked_scores,
    two_stream_spatial,
    two_stream_temporal,
)
from har_demo.profiling.cost import parameters


@pytest.fixture
def meta():
    with torch.device("meta"):
        yield


def test_layers_of_cnn_m_have_the_shapes_of_the_table(meta):
    x = torch.empty(1, 20, 224, 224)
    shapes = {}
    for name, layer in cnn_m_2048(20, 101).named_children():
        x = layer(x)
        shapes[name] = tuple(x.shape[1:])
    assert shapes["conv1"] == (96, 54, 54)
    assert shapes["conv2"] == (256, 13, 13)
    assert shapes["conv3"] == shapes["conv4"] == (512, 13, 13)
    assert shapes["conv5"] == (512, 6, 6)
    assert shapes["full6"] == (4096,) and shapes["full7"] == (2048,)


def test_cnn_m_is_as_large_as_the_file_that_its_authors_published(meta):
    """370 MB of floats, with ImageNet's thousand classes."""
    assert 4 * parameters(cnn_m_2048(3, 1000)) == pytest.approx(370e6, rel=1e-3)


def test_local_response_normalisation_has_alexnets_settings():
    """b = a / (2 + 10⁻⁴ Σ a²)^0.75, the sum over five neighbouring channels."""
    norm = cnn_m_2048(3, 2).conv1[2]
    a = 30 + 50 * torch.rand(1, 7, 1, 1)
    neighbours = a[:, 1:6].square().sum()
    expected = a[0, 3] / (2 + 1e-4 * neighbours) ** 0.75
    torch.testing.assert_close(norm(a)[0, 3], expected)
    assert (expected < 0.9 * a[0, 3] / 2**0.75).all()  # so that the sum matters here


def test_only_the_spatial_stream_normalises_twice(meta):
    def norms(network):
        return sum(isinstance(m, nn.LocalResponseNorm) for m in network.modules())

    assert norms(two_stream_spatial(5)) == 2
    assert norms(two_stream_temporal(5)) == 1


def test_flow_channels_stand_as_in_the_papers_first_equation():
    """x of the first field, y of the first, x of the second ..."""
    flow = torch.arange(20.0).view(10, 2).T.reshape(1, 2, 10, 1, 1).expand(-1, -1, -1, 4, 4)
    stacked = Stream(nn.Identity())(flow)
    assert stacked.shape == (1, 20, 4, 4)
    assert stacked[0, :, 0, 0].tolist() == list(range(20))
    frame = torch.rand(2, 3, 1, 4, 4)
    assert torch.equal(Stream(nn.Identity())(frame), frame[:, :, 0])


def test_a_camera_that_moves_steadily_changes_nothing():
    torch.manual_seed(0)
    stream = TemporalStream(nn.Sequential(nn.Conv2d(20, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 3)))
    flow = torch.randn(2, 2, 10, 8, 8)
    camera = torch.randn(2, 2, 10, 1, 1)  # another shift of the whole field in every frame
    with torch.no_grad():
        torch.testing.assert_close(stream(flow + camera), stream(flow), atol=1e-5, rtol=1e-5)
        assert (stream(2 * flow) - stream(flow)).abs().max() > 1e-3


class Fixed(nn.Module):
    """Gives the same logits for whatever it sees."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, _):
        return self.logits


def test_softmax_of_the_output_is_the_mean_of_both_softmax_scores():
    spatial, temporal = [[2.0, 0.0, -1.0]], [[-3.0, 1.0, 4.0]]
    fused = TwoStream(Fixed(spatial), Fixed(temporal))(None, None)
    mean = (torch.tensor(spatial).softmax(-1) + torch.tensor(temporal).softmax(-1)) / 2
    torch.testing.assert_close(fused.softmax(-1), mean)
    torch.testing.assert_close(fused, mean.log())


def test_fusion_survives_a_stream_that_is_certain():
    """Probabilities that are 0 in float32 would have no finite logarithm of their own."""
    fused = TwoStream(Fixed([[300.0, 0.0]]), Fixed([[400.0, 0.0]]))(None, None)
    assert fused.isfinite().all()


def _scores(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_stacked_scores_have_length_one_for_each_stream():
    rng = np.random.default_rng(0)
    spatial, temporal = _scores(rng.normal(size=(5, 4))), _scores(rng.normal(size=(5, 4)))
    stacked = stacked_scores(spatial, temporal)
    assert stacked.shape == (5, 8)
    np.testing.assert_allclose(np.linalg.norm(stacked[:, :4], axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(stacked[:, 4:], axis=1), 1)
    np.testing.assert_allclose(
        stacked[:, :4] / spatial, (stacked[:, :1] / spatial[:, :1]).repeat(4, 1)
    )


def test_an_svm_learns_which_stream_to_trust_and_averaging_cannot():
    """Spatial takes class 1 for class 0 and is sure; temporal tells them apart, but only just."""
    rng = np.random.default_rng(0)

    def videos(count):
        labels = rng.integers(0, 3, count)
        seen = np.where(labels == 1, 0, labels)
        spatial = 4.0 * np.eye(3)[seen] + rng.normal(scale=0.3, size=(count, 3))
        temporal = 1.0 * np.eye(3)[labels] + rng.normal(scale=0.3, size=(count, 3))
        return _scores(spatial), _scores(temporal), labels

    svm = fit_svm(*videos(300))
    spatial, temporal, labels = videos(300)
    averaged = (np.argmax(spatial + temporal, axis=1) == labels).mean()
    learned = (svm.predict(stacked_scores(spatial, temporal)) == labels).mean()
    assert averaged < 0.75
    assert learned > 0.9


def test_3d_fused_has_the_grids_and_the_size_that_its_paper_gives(meta):
    assert inception_v1(20)(torch.empty(1, 20, 224, 224)).shape == (1, 1024, 7, 7)
    network = Fused3D(400)
    grids = []
    network.fuse.register_forward_hook(lambda _, inputs, output: grids.extend((*inputs, output)))
    network(torch.empty(1, 3, 5, 224, 224), torch.empty(1, 2, 50, 224, 224))
    assert [tuple(g.shape[1:]) for g in grids] == [(2048, 5, 7, 7), (512, 5, 7, 7)]
    assert parameters(network) // 10**6 == 39  # the lecture's table prints 39 M


def test_each_frame_of_3d_fused_gets_its_own_ten_fields():
    network = Fused3D(3).eval()
    given = []
    network.temporal = nn.Sequential(Recorder(given), nn.Conv2d(20, 1024, 1))
    network.spatial = nn.Conv2d(3, 1024, 1)
    flow = (
        torch.arange(2 * 30.0)
        .view(1, 30, 2)
        .transpose(1, 2)[..., None, None]
        .expand(1, 2, 30, 6, 6)
    )
    with torch.no_grad():
        network(torch.rand(1, 3, 3, 6, 6), flow)
    (stacks,) = given
    assert stacks.shape == (3, 20, 6, 6)
    assert stacks[:, :, 0, 0].flatten().tolist() == list(range(60))


class Recorder(nn.Module):
    """Passes on what it is given, and keeps it."""

    def __init__(self, given):
        super().__init__()
        self.given = given

    def forward(self, x):
        self.given.append(x)
        return x
