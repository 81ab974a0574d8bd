"""MARS is a 3D ResNeXt-101, and its loss teaches the network of RGB frames and nobody else."""

import pytest
import torch
from torch.nn import functional as F

from har_demo.models.mars import Block, ResNeXt3D, mars, mars_loss, mers_loss


def _small(channels=3):
    return ResNeXt3D(5, channels, stem=8, width=8, blocks=(1, 1, 1, 1), groups=4)


@pytest.fixture
def pair():
    """Student, teacher (as frozen as its users keep it: in eval mode), RGB, flow, labels."""
    torch.manual_seed(0)
    rgb, flow = torch.randn(2, 3, 8, 32, 32), torch.randn(2, 2, 8, 32, 32)
    return _small(), _small(channels=2).eval(), rgb, flow, torch.tensor([1, 4])


def test_101_layers_32_groups_of_4_channels():
    with torch.device("meta"):
        network = mars(400)
    blocks = [m for m in network.modules() if isinstance(m, Block)]
    assert 3 * len(blocks) + 2 == 101  # conv1 and fc
    assert {b.conv2.groups for b in blocks} == {32}
    assert network.layer1[0].conv2.weight.shape == (128, 4, 3, 3, 3)


def test_features_shrink_as_the_docstring_says():
    with torch.device("meta"):
        network = mars(400).eval()
        x = torch.empty(1, 3, 16, 112, 112)
    shapes = []
    for name in ("layer1", "layer2", "layer3", "layer4"):
        getattr(network, name).register_forward_hook(lambda _, __, y: shapes.append(y.shape[1:]))
    assert network.features(x).shape == (1, 2048)
    assert shapes == [(256, 8, 28, 28), (512, 4, 14, 14), (1024, 2, 7, 7), (2048, 1, 4, 4)]


def test_logits_are_the_classifier_on_the_features(pair):
    student, _, rgb, *_ = pair
    student.eval()
    with torch.no_grad():
        torch.testing.assert_close(student(rgb), student.fc(student.features(rgb)))


def test_the_groups_of_a_block_do_not_see_each_other():
    block = Block(8, 8, groups=4).eval()
    x = torch.randn(1, 8, 2, 4, 4)
    changed = x.clone()
    changed[:, :2] += 1  # the first of four groups
    with torch.no_grad():
        difference = block.conv2(changed) - block.conv2(x)
    assert difference[:, :2].abs().min() > 0
    assert not difference[:, 2:].any()


def test_the_loss_teaches_the_student_and_not_the_teacher(pair):
    student, teacher, *clips = pair
    before = {name: t.clone() for name, t in teacher.state_dict().items()}
    mars_loss(student, teacher, *clips).backward()
    assert all(p.grad is not None and p.grad.any() for p in student.parameters())
    assert all(p.grad is None for p in teacher.parameters())
    for name, tensor in teacher.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_without_alpha_it_is_the_plain_cross_entropy(pair):
    student, teacher, rgb, flow, labels = pair
    student.eval()
    plain = F.cross_entropy(student(rgb), labels)
    torch.testing.assert_close(mars_loss(student, teacher, rgb, flow, labels, alpha=0.0), plain)


def test_alpha_is_50_and_weighs_the_mean_squared_distance(pair):
    student, teacher, rgb, flow, labels = pair
    student.eval()
    with torch.no_grad():
        apart = ((student.features(rgb) - teacher.features(flow)) ** 2).mean()
        plain = F.cross_entropy(student(rgb), labels)
        torch.testing.assert_close(mers_loss(student, teacher, rgb, flow), apart)
        torch.testing.assert_close(
            mars_loss(student, teacher, rgb, flow, labels), plain + 50 * apart
        )


def test_mers_leaves_the_classifier_alone(pair):
    student, teacher, rgb, flow, _ = pair
    mers_loss(student, teacher, rgb, flow).backward()
    assert student.fc.weight.grad is None
    assert student.conv1.weight.grad.any()


def test_the_loss_brings_the_features_together(pair):
    """A few steps of MERS, and the student's features are nearer to the teacher's."""
    student, teacher, rgb, flow, _ = pair
    student.eval()  # layer4 is down to one position: the norm of two clips would always give ±1
    optimiser = torch.optim.SGD(student.parameters(), lr=0.01)
    losses = []
    for _ in range(8):
        loss = mers_loss(student, teacher, rgb, flow)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.8 * losses[0]
