"""Answers to prompts as plain values for JSON."""

from har_demo.clips.clip import Clip
from har_demo.prompts.answer import PromptAnswer
from har_demo.prompts.heatmap import HeatMap
from har_demo.prompts.ranking import Ranking


def answer_json(clip: Clip, answer: PromptAnswer) -> dict:
    """An answer with everything a page shows of it; similarity is a list a frame."""
    return {
        "clip": {"name": clip.source.name, "sha256": clip.sha256, "seconds": clip.duration},
        "tower": answer.model,
        "provenance": [vars(one) for one in answer.provenance],
        "prompts": [
            {
                "text": text,
                "probability": float(probability),
                "similarity": float(pooled),
                "best_seconds": float(best / answer.fps),
                "tokens": reading.tokens,
                "read": reading.read,
                "cut": reading.cut,
            }
            for text, probability, pooled, best, reading in zip(
                answer.prompts,
                answer.probabilities,
                answer.pooled,
                answer.best,
                answer.readings,
                strict=True,
            )
        ],
        "none_of_these": answer.none,
        "nothing": answer.nothing,
        "pooling": answer.pooling,
        "templates": list(answer.templates),
        "background": list(answer.background),
        "temperature": answer.temperature,
        "threshold": answer.threshold,
        "frames": answer.frames.tolist(),
        "seconds": answer.seconds().tolist(),
        "similarity": answer.similarity.tolist(),
        "none_similarity": None
        if answer.none_similarity is None
        else answer.none_similarity.tolist(),
        "notes": list(answer.notes),
        "milliseconds": vars(answer.times),
        "device": answer.device,
    }


def ranking_json(ranking: Ranking) -> dict:
    """A search with its clips, the best first."""
    return {
        "sentence": ranking.sentence,
        "tower": ranking.model,
        "clips": [
            {
                "name": one.clip.source.name,
                "sha256": one.clip.sha256,
                "similarity": one.similarity,
                "best_seconds": one.seconds,
            }
            for one in ranking.found
        ],
        "unread": [vars(one) for one in ranking.unread],
        "notes": list(ranking.notes),
    }


def heat_json(found: HeatMap) -> dict:
    """A heat map with its grid."""
    return {
        "prompt": found.prompt,
        "tower": found.model,
        "kind": found.kind,
        "grid_of": found.grid_of,
        "grid": list(found.grid),
        "box": list(found.box),
        "size": list(found.size),
        "frames": found.frames.tolist(),
        "values": found.values.tolist(),
    }
