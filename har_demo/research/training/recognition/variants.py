"""The variations of tiny models that the ablations of har_demo.tables.ablations compare.

A variation is a card named MODEL.VARIATION, with another input or another network than the tiny model
before the dot, trained in the same way. So

    python -m har_demo.research train --data PREPARED --ablations frames kernel
    python -m har_demo.research train --data PREPARED --models mfnet_lab.frames_8

train what is not there yet, and har_demo.research.training.recognition.tables puts it into ablations.csv. What differs in
cost is counted, not stated here.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

from torch import nn

from har_demo.models import registry
from har_demo.models.card import ModelCard, Source
from har_demo.models.csn import csn_tiny
from har_demo.models.efficientnet3d import InflatedLite0
from har_demo.models.light import gamma
from har_demo.models.mfnet import mfnet_tiny
from har_demo.models.pyramid import five, mfnet_nl_tiny, mfnet_pnl_tiny
from har_demo.models.video_swin import swin_tiny
from har_demo.models.without_numbers import without_numbers
from har_demo.profiling import cost
from har_demo.research.training.recognition.imagenet import LITE0, lite0_from_imagenet
from har_demo.research.training.recognition.light import Relit, equalised
from har_demo.research.training.recognition.train import trainable
from har_demo.tables.ablations import AblationRow, is_variation


def _variation(
    name: str,
    build: Callable[[int], nn.Module] | None = None,
    start: tuple[Source, ...] = (),
    **of_input,
) -> ModelCard:
    """Return the card of a tiny model with another network, another input of frames, or both.

    Args:
        name: MODEL.VARIATION.
        build: of the network, the model's own when None.
        start: parameters of an image network that it begins from.
        of_input: fields of ModelInput that differ.
    """
    base = registry.card(name.split(".")[0])
    return replace(
        base,
        name=name,
        input=replace(base.input, modality="rgb", **of_input),
        build=build or base.build,
        weights=start,
        parameters=None,
        gmacs=None,
    )


def _relit(light: Callable, classes: int) -> Relit:
    return Relit(mfnet_tiny(classes), light)


_SIXTEEN = {"frames": 16, "fps": 8.0}
_PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "standardise": False}


@cache
def variants() -> dict[str, ModelCard]:
    """Return the cards of all variations by name; their parameters and GMACs are not counted yet."""
    csn = partial(csn_tiny, width=24)
    cards = (
        _variation("mfnet_lab.frames_4", frames=4, fps=2.0),
        _variation("mfnet_lab.frames_8", frames=8, fps=4.0),
        _variation("mfnet_lab.frames_32", frames=32, fps=16.0),
        _variation("tsn_lab.frames_4", frames=4, fps=2.0),
        _variation("tsn_lab.frames_16", **_SIXTEEN),
        _variation("mfnet_lab.fps_12", fps=12.5),
        _variation("mfnet_lab.fps_25", fps=25.0),
        _variation("tsn_lab.segments", sampling="segments"),
        _variation("tsm_lab.segments", sampling="segments"),
        _variation("conv_pool_lab.frames_16", **_SIXTEEN),
        _variation("ir_csn_lab.full", partial(csn, preserve=False, kernel="full")),
        _variation("ir_csn_lab.split", partial(csn, preserve=False, kernel="split")),
        _variation("ip_csn_lab.narrow", partial(csn, preserve=True)),
        _variation("ir_csn_lab.narrow", partial(csn, preserve=False)),
        _variation("mfnet_nl_lab.five", partial(mfnet_nl_tiny, places=five)),
        *(
            _variation(f"mfnet_nl_lab.{function}", partial(mfnet_nl_tiny, function=function))
            for function in ("gaussian", "dot_product", "concatenation")
        ),
        _variation("mfnet_pnl_lab.five", partial(mfnet_pnl_tiny, places=five)),
        _variation("swin_lab.window_1", partial(swin_tiny, window=(1, 7, 7))),
        _variation("swin_lab.window_8", partial(swin_tiny, window=(8, 7, 7))),
        _variation("mfnet_lab.as_filmed", standardise=False),
        _variation("mfnet_lab.gamma", partial(_relit, gamma), **_PLAIN),
        _variation("mfnet_lab.equalised", partial(_relit, equalised), **_PLAIN),
        _variation("tsn_lab.lite0", partial(InflatedLite0, time=1), **_SIXTEEN),
        _variation(
            "tsn_lab.lite0_imagenet", partial(lite0_from_imagenet, time=1), (LITE0,), **_SIXTEEN
        ),
        _variation("i3d_lab.lite0", InflatedLite0),
        _variation("i3d_lab.lite0_imagenet", lite0_from_imagenet, (LITE0,)),
        _variation("mars_lab.alone"),
    )
    return {card.name: card for card in cards}


@cache
def card_of(name: str) -> ModelCard:
    """Return the card of a tiny model or, its cost counted, of a variation.

    Raises:
        ChoiceError: there is neither.
    """
    if name not in variants():
        return registry.card(name)
    card = variants()[name]
    with without_numbers():
        network = card.build(len(card.classes)).eval()
    return replace(
        card,
        parameters=cost.parameters(network),
        gmacs=round(cost.gmacs(network, *card.input.shapes()), 4),
    )


def can_be_trained(row: AblationRow) -> bool:
    """Return whether there is a way to train it yet."""
    return is_variation(row.model) or row.model in trainable()
