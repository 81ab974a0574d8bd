"""mmaction2 keeps backbone and head apart, and a convolution and its norm in a module of their own."""

from .rename import renamed

RESNET50 = (
    (r"^backbone\.conv1\.conv\.", "features.conv1."),
    (r"^backbone\.conv1\.bn\.", "features.bn1."),
    (r"^backbone\.(layer\d\.\d+)\.conv(\d)\.conv\.", r"features.\1.conv\2."),
    (r"^backbone\.(layer\d\.\d+)\.conv(\d)\.bn\.", r"features.\1.bn\2."),
    (r"^backbone\.(layer\d\.\d+)\.downsample\.conv\.", r"features.\1.downsample.0."),
    (r"^backbone\.(layer\d\.\d+)\.downsample\.bn\.", r"features.\1.downsample.1."),
)
"""Its ResNet-50 → torchvision's, called `features`."""

MAPS = {
    "tsn_r50": renamed(*RESNET50, (r"^cls_head\.fc_cls\.", "fc.")),
}
