"""The authors write norm, ReLU and convolution as one module, and count units from B01."""

from .rename import renamed

MAPS = {
    "mfnet": renamed(
        (r"^conv1\.conv\.", "conv1."),
        (r"^conv1\.bn\.", "norm1."),
        (r"^tail\.bn\.", "norm5."),
        (r"^classifier\.", "fc."),
        *((rf"\.B0{unit}\.", f".{unit - 1}.") for unit in range(1, 7)),
        (r"\.conv_i1\.", ".multiplexer.squeeze."),
        (r"\.conv_i2\.", ".multiplexer.expand."),
        (r"\.conv_m([12])\.", r".conv\1."),
        (r"\.conv_w1\.", ".shortcut."),
        (r"\.bn\.", ".norm."),
    ),
}
