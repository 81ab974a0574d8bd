"""Every public SlowFast fills ours, or it is known why not."""

import pytest

from tests.test_weights.public_keys import assert_fills, read


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("pytorchvideo_hub_pytorchvideo__slowfast_r50", "slowfast_r50_8x8"),
        ("pytorchvideo_hub_pytorchvideo__slowfast_r101", "slowfast_r101_8x8"),
        ("pytorchvideo_hub_pytorchvideo__slowfast_16x8_r101_50_50", "slowfast_r101_16x8"),
        ("facebookresearch__slowfast_nl_r50", "slowfast_nl_r50_8x8"),
        ("facebookresearch__slowfast_nl_r101_16x8", "slowfast_nl_r101_16x8"),
    ],
)
def test_every_name_is_used_and_every_parameter_filled(file, model):
    assert_fills(file, model)


def test_mmactions_network_is_another_as_its_laterals_are_not_normalised():
    """The 928 parameters by which they differ, as the top of slowfast.py says."""

    def parameters(file):
        found = read(file).items()
        return {name: t.numel() for name, t in found if name.endswith((".weight", ".bias"))}

    theirs = parameters("open_mmlab__slowfast_r50_mmaction2")
    ours = parameters("pytorchvideo_hub_pytorchvideo__slowfast_r50")
    norms = {name: size for name, size in ours.items() if ".multipathway_fusion.norm." in name}
    assert sum(norms.values()) == 928
    assert sum(ours.values()) - sum(theirs.values()) == 928
    assert not [name for name in theirs if "lateral" in name and ".bn." in name]
