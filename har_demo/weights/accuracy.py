"""How well a model does, from whichever record goes with the weights it would answer with."""

from har_demo.models.card import Accuracy, ModelCard

from . import shipped


def accuracies(card: ModelCard) -> tuple[Accuracy, ...]:
    """Measured accuracies of the shipped checkpoint, or the published ones of the public weights."""
    entry = shipped.entry(card.name)
    if entry is None:
        return card.accuracy
    return tuple(
        Accuracy(
            dataset=row["dataset"],
            top1=row["top1"],
            top5=row.get("top5"),
            protocol=f"{row['split']}, {row['clips']} clips",
            source="checkpoints/manifest.json",
        )
        for row in entry.get("accuracy", ())
    )
