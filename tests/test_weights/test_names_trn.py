"""mmaction2's TRN file fills ours, and its relations are the authors'."""

from har_demo.models.registry import card
from har_demo.weights.name_maps import MAPS
from tests.test_weights import public_keys


def test_mmaction2():
    public_keys.assert_fills("open_mmlab__trn_r50_multiscale", "trn_r50", classes=174)


def test_the_authors_relations():
    theirs = public_keys.read("zhoubolei__trn_multiscale_8")
    mapped = MAPS["trn_r50"]({f"cls_head.consensus.{k}": t for k, t in theirs.items()})
    own = card("trn_r50").build(174).state_dict()
    relations = {name: t.shape for name, t in own.items() if name.startswith("relations.")}
    assert {name: t.shape for name, t in mapped.items()} == relations
