"""Public Video Swin files fill ours: torchvision's, the authors' and mmaction2's."""

from har_demo.weights.name_maps import MAPS
from tests.test_weights.public_keys import assert_fills, read

TORCHVISION, MMACTION = "torchvision_0_28_0_models__swin3d_t", "open_mmlab__swin_t_mmaction2"


def tables(file):
    return [name for name in read(file) if name.endswith("relative_position_index")]


def test_every_name_but_the_tables_of_positions_is_used():
    for file in (TORCHVISION, MMACTION):
        assert len(tables(file)) == 12
        assert_fills(file, "swin3d_t", dropped=tables(file))


def test_the_authors_name_the_last_norm_otherwise_than_mmaction2():
    names = MAPS["swin3d_t"]
    theirs = read(MMACTION)
    authors = {name.replace("backbone.norm3.", "backbone.norm."): t for name, t in theirs.items()}
    assert "backbone.norm.weight" in authors
    assert names(authors).keys() == names(theirs).keys()


def test_both_publishers_list_the_same_tensors_in_the_same_places():
    """Ours have no order to compare; theirs do, and it is that of the forward pass."""
    names = MAPS["swin3d_t"]
    assert list(names(read(TORCHVISION))) == list(names(read(MMACTION)))
