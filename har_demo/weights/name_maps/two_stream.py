"""two-stream-pytorch's VGG-16 is torchvision's, with a last layer of its own name."""

from .rename import renamed

_VGG16 = renamed(
    (r"^(features|classifier)\.", r"network.\1."),
    (r"^fc_action\.", "network.classifier.6."),
)

MAPS = {"two_stream_vgg16_spatial": _VGG16, "two_stream_vgg16_temporal": _VGG16}
