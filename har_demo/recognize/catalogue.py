"""Every model as one plain row, for the API and the command line."""

from dataclasses import asdict

from har_demo.models.registry import cards
from har_demo.weights import accuracies, availability


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
        }
        for card in cards().values()
    ]
