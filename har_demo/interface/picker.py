"""The list of models to tick: what each is, what it costs, how well it does, whether it can run."""

import math
from collections.abc import Sequence

from har_demo.interface import formatting
from har_demo.interface.render import render
from har_demo.models.card import ModelCard, ModelInput
from har_demo.models.registry import cards
from har_demo.tables.datasets import TEST_SETS
from har_demo.weights import Availability, accuracies, availability, hub
from har_demo.weights.state import megabytes

OWN = "arid6"
"""The test set whose accuracy stands beside tiny models; others have that of their publisher."""
GROUPS = (
    ("Ready here", "weights are on this machine", ("shipped", "cached")),
    ("Public weights", "fetched when first asked, needs the network", ("download",)),
    ("Without weights", "cannot answer until you bring your own", ("missing",)),
)


def picker(ticked: Sequence[str]) -> str:
    """The list as HTML, some models ticked, which come first; the page's script reads which boxes are."""
    every = cards().values()
    weights = {card.name: availability(card) for card in every}
    groups = []
    for title, note, states in GROUPS:
        models = []
        for card in sorted(every, key=lambda card: card.name not in ticked):
            state = weights[card.name].state
            if state not in states:
                continue
            models.append(_row(card, weights[card.name], state, card.name in ticked))
        if models:
            groups.append({"title": title, "note": note, "open": not groups, "models": models})
    return render("picker", groups=groups, count=len(every), own=TEST_SETS[OWN])


def _row(card: ModelCard, weights: Availability, state: str, ticked: bool) -> dict:
    known = accuracies(card)
    size = megabytes(weights.bytes) if weights.bytes else ""
    spec = card.input
    return {
        "name": card.name,
        "found_by": " ".join(
            (card.name, card.title, card.family, str(card.year), card.idea)
        ).lower(),
        "title": card.title,
        "year": card.year,
        "state": state,
        "ticked": ticked,
        "badge": {
            "shipped": "ready",
            "cached": "ready",
            "download": size,
            "missing": "no weights",
        }[state],
        "family": card.family,
        "hue": formatting.hue(card.family),
        "cost": formatting.gmacs(card.gmacs),
        # The bar is logarithmic: 1 GMAC is a tenth of it, 300 GMACs nearly all.
        "cost_share": 0
        if card.gmacs is None
        else f"{min(100, max(4, 10 + 36 * math.log10(card.gmacs))):.0f}",
        "cost_title": "it is no network, and only multiply-adds of networks are counted"
        if card.gmacs is None
        else "multiply-adds for one view of the clip, in thousands of millions",
        "accuracy": f"{known[0].top1:.0f} % on {known[0].dataset}" if known else "accuracy unknown",
        "accuracy_title": f"top-1 accuracy, {known[0].protocol}" if known else "",
        "accuracies": [
            f"{a.dataset}: {a.top1:.1f} % top-1"
            + (f", {a.top5:.1f} % top-5" if a.top5 is not None else "")
            + f" ({a.protocol}; {', '.join(filter(None, (a.source, a.date)))})"
            for a in known
        ],
        "idea": card.idea,
        "input_sentence": f"Sees {_seen(spec)} of {spec.crop[1]} × {spec.crop[0]} pixels,"
        f" {spec.fps:.3g} a second."
        + (f" As published: {card.protocol.words}." if card.protocol else ""),
        "note": card.note,
        "parameters_sentence": ""
        if card.parameters is None
        else f"{card.parameters / 1e6:.1f} million parameters; "
        f"knows {len(card.classes)} actions ({card.label_set}).",
        "weights_sentence": weights.sentence,
        "sources": [
            f"{s.name}: {hub.file_name(s)}, {megabytes(s.bytes)}, {s.licence}"
            + (f", {s.date}" if s.date else "")
            for s in card.sources
        ],
        "paper": card.paper,
        "paper_url": card.paper_url,
    }


def _seen(spec: ModelInput) -> str:
    flow = formatting.count(spec.flow_frames, "field") + " of optical flow"
    frames = formatting.count(spec.frames, "frame")
    return {
        "difference": formatting.count(spec.frames, "difference") + " between neighbouring frames",
        "flow": flow,
        "rgb+flow": f"{frames} and {flow}",
    }.get(spec.modality, frames)
