"""Every model as one plain row, for the API and the command line."""

from dataclasses import asdict

from har_demo.models.card import Source
from har_demo.models.registry import cards
from har_demo.weights import accuracies, availability, hub


def _source(source: Source) -> dict:
    """A public file of weights: whose it is, where, and how its accuracy was measured."""
    return {
        "name": source.name,
        "url": source.url,
        "file": hub.file_name(source),
        "bytes": source.bytes,
        "sha256": source.sha256,
        "licence": source.licence,
        "date": source.date,
        "accuracy": [asdict(accuracy) for accuracy in source.accuracy],
        "protocol": asdict(source.protocol) if source.protocol else None,
        "input": asdict(source.input) if source.input else None,
    }


def catalogue() -> list[dict]:
    """JSON-ready rows in the registry's order: what each model is, costs, knows, and can it run."""
    return [
        {
            "name": card.name,
            "title": card.title,
            "family": card.family,
            "year": card.year,
            "idea": card.idea,
            "paper": card.paper,
            "paper_url": card.paper_url,
            "size": card.size,
            "input": asdict(card.input),
            "label_set": card.label_set,
            "classes": list(card.classes),
            "parameters": card.parameters,
            "gmacs": card.gmacs,
            "accuracy": [asdict(accuracy) for accuracy in accuracies(card)],
            "weights": asdict(availability(card)),
            "sources": [_source(source) for source in card.sources],
        }
        for card in cards().values()
    ]
