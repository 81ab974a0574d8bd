"""TRN relates ordered sets of frames: which sets, what it does with them, and that order counts."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from har_demo.models.label_sets import SOMETHING_V1, SOMETHING_V2
from har_demo.models.trn import KEY_MAP, Relation, trn_tiny
from tests.networks import on_meta
from tests.test_models import public_keys


def relation(k, frames=8):
    torch.manual_seed(k)
    return Relation(k, frames, width=16, classes=5).eval()


@pytest.mark.parametrize(("k", "count"), [(2, 28), (3, 56), (4, 70), (7, 8), (8, 1)])
def test_every_set_of_frames_in_order(k, count):
    found = relation(k)
    assert found.every.shape == (count, k)
    assert len({tuple(row) for row in found.every.tolist()}) == count
    assert all(a < b for row in found.every.tolist() for a, b in pairwise(row))
    assert len(found.fixed) == min(3, count)
    assert len({tuple(row) for row in found.fixed.tolist()}) == len(found.fixed)


@pytest.mark.parametrize("k", [2, 5, 8])
def test_a_scale_adds_up_h_of_g_of_its_sets(k):
    found = relation(k)
    x = torch.randn(3, 8, 16)
    expected = torch.zeros(3, 5)
    with torch.no_grad():
        for row in found.fixed.tolist():
            side_by_side = torch.cat([x[:, t] for t in row], dim=1)
            expected += found.h(F.relu(found.g(F.relu(side_by_side))))
        torch.testing.assert_close(found(x), expected, atol=1e-5, rtol=1e-5)


def test_sets_are_drawn_while_training_and_fixed_otherwise():
    found = relation(3)
    x = torch.randn(2, 8, 16)
    with torch.no_grad():
        assert torch.equal(found(x), found(x))
        found.train()
        drawn = [found.drawn() for _ in range(20)]
        assert len({tuple(map(tuple, sets.tolist())) for sets in drawn}) > 10
        for sets in drawn:
            assert len({tuple(row) for row in sets.tolist()}) == 3  # none twice
        assert not torch.equal(found(x), found(x))


def test_all_scales_add_up():
    torch.manual_seed(0)
    network = trn_tiny(5).eval()
    clip = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        scores = network(clip)
        width = network.fc.out_features
        assert [r.g.in_features // width for r in network.relations] == [8, 7, 6, 5, 4, 3, 2]
        rest = scores - network.relations[2](seen_by_relations(network, clip))
        nn.init.zeros_(network.relations[2].h.weight)
        nn.init.zeros_(network.relations[2].h.bias)
        torch.testing.assert_close(network(clip), rest, atol=1e-5, rtol=1e-5)


def seen_by_relations(network, clip):
    found = []
    hook = network.fc.register_forward_hook(lambda _, x, y: found.append(y))
    network(clip)
    hook.remove()
    return found[0]


def test_it_can_tell_a_clip_from_its_reverse():
    torch.manual_seed(0)
    network = trn_tiny(5).eval()
    clip = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        assert (network(clip) - network(clip.flip(2))).abs().max() > 1e-3
        still = clip[:, :, :1].expand(-1, -1, 8, -1, -1)
        torch.testing.assert_close(network(still), network(still.flip(2)))


def test_index_tables_are_no_parameters():
    assert not [name for name in trn_tiny(5).state_dict() if "every" in name or "fixed" in name]


@pytest.mark.parametrize("frames", [1, 4, 7])
def test_fewer_frames_are_refused(frames):
    with pytest.raises((IndexError, RuntimeError)):
        trn_tiny(5).eval()(torch.zeros(1, 3, frames, 32, 32))


def test_something_v2_is_in_the_order_the_weights_know():
    """The pairs that a mirrored clip swaps, as the weights' training configuration numbers them."""
    assert len(SOMETHING_V2) == len(set(SOMETHING_V2)) == 174
    assert SOMETHING_V2[86] == "Pulling something from left to right"
    assert SOMETHING_V2[87] == "Pulling something from right to left"
    assert SOMETHING_V2[93] == "Pushing something from left to right"
    assert SOMETHING_V2[94] == "Pushing something from right to left"
    assert SOMETHING_V2[166] == "Turning the camera left while filming something"
    assert SOMETHING_V2[167] == "Turning the camera right while filming something"


def test_something_v1_is_in_the_order_the_weights_know():
    """Its own order is not alphabetical; the pairs are those of mmaction2's sthv1_flip_label_map."""
    assert len(SOMETHING_V1) == len(set(SOMETHING_V1)) == 174
    for one, other in ((2, 4), (30, 41), (52, 66)):
        swapped = SOMETHING_V1[one]
        swapped = swapped.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
        assert swapped == SOMETHING_V1[other]
    assert sorted(SOMETHING_V1) == sorted(SOMETHING_V2)


def test_the_authors_relations():
    theirs = public_keys.read("zhoubolei__trn_multiscale_8")
    mapped = KEY_MAP({f"cls_head.consensus.{k}": t for k, t in theirs.items()})
    own = on_meta("trn_r50").state_dict()
    relations = {name: t.shape for name, t in own.items() if name.startswith("relations.")}
    assert {name: t.shape for name, t in mapped.items()} == relations
