"""Every public X3D fills ours, or it is known why not."""

import pytest

from tests.test_weights.public_keys import assert_fills, read


@pytest.mark.parametrize("size", ["xs", "s", "m", "l"])
def test_pytorchvideos_names(size):
    assert_fills(f"pytorchvideo_hub_pytorchvideo__x3d_{size}", f"x3d_{size}")


def test_pyslowfasts_names():
    assert_fills("facebookresearch__x3d_xxl_like", "x3d_xl")


@pytest.mark.parametrize("size", ["s", "m"])
def test_mmactions_network_is_another_by_one_batch_norm(size):
    """The 48 parameters by which they differ, as the top of x3d.py says."""
    theirs = read(f"open_mmlab__x3d_{size}_mmaction2")
    ours = read(f"pytorchvideo_hub_pytorchvideo__x3d_{size}")
    norm = "backbone.layer1.0.downsample.bn."

    def count(state):
        return sum(
            tensor.numel()
            for name, tensor in state.items()
            if name.endswith((".weight", ".bias")) and not name.startswith(norm)
        )

    assert theirs[f"{norm}weight"].numel() + theirs[f"{norm}bias"].numel() == 48
    assert count(theirs) == count(ours)
