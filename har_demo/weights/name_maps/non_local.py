"""PySlowFast's and mmaction2's names of non-local blocks, beside those of the networks they stand in."""

from .rename import renamed
from .resnet3d import MMACTION, PYSLOWFAST

_PYSLOWFAST = (
    (r"^s(\d)\.pathway0_nonlocal(\d+)\.", r"res\1.\2.non_local."),
    (r"\.non_local\.conv_(theta|phi|g)\.", r".non_local.\1."),
    (r"\.non_local\.conv_out\.", ".non_local.w_z."),
    (r"\.non_local\.bn\.", ".non_local.norm."),
    *PYSLOWFAST,
)

# φ and g are followed by their pooling there, and so are the first of two.
_MMACTION = (
    (r"\.non_local_block\.theta\.conv\.", ".non_local.theta."),
    (r"\.non_local_block\.(phi|g)\.0\.conv\.", r".non_local.\1."),
    (r"\.non_local_block\.conv_out\.conv\.", ".non_local.w_z."),
    (r"\.non_local_block\.conv_out\.bn\.", ".non_local.norm."),
    *MMACTION,
)

MAPS = {
    "c2d_nl_r50": renamed(*_PYSLOWFAST),
    "i3d_nl_r50": renamed(*_PYSLOWFAST),
    "i3d_nl_r101": renamed(*_PYSLOWFAST),
    "slow_nl_r50": renamed(*_PYSLOWFAST),
    "i3d_nl_r50_32": renamed(*_MMACTION),
    "i3d_nl_r50_32_dot": renamed(*_MMACTION),
    "i3d_nl_r50_32_gaussian": renamed(*_MMACTION),
}
