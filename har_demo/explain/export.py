"""A map with everything said of it: sentences, a picture, numbers, JSON.

What a page shows, an endpoint answers and a command prints comes from `explained_attention` and
`explained_class`.
"""

import difflib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from har_demo.errors import ChoiceError
from har_demo.explain import picture
from har_demo.explain.activation import METHODS, Activation, activation
from har_demo.explain.attention import (
    At,
    AttentionResult,
    AttentionSummary,
    Scores,
    attended,
    block,
    connections,
    moved,
    scores,
    share_of,
    survey,
)
from har_demo.explain.faithfulness import Faithfulness, faithfulness, stays_when_shuffled
from har_demo.explain.functions import FUNCTIONS, TITLES
from har_demo.explain.look import ForwardTrace
from har_demo.explain.rollout import rollout
from har_demo.models.non_local import Function

PLACES = 6
ALIKE, MUCH_ALIKE = 0.95, 0.7
LOOSE = 0.5  # rank correlation with a shuffled network's map above which learning hardly shows


@dataclass(frozen=True)
class ExplainedAttention:
    """The attention from one position, and its statistics.

    Attributes:
        trace, result: the forward pass and the map.
        at: the query's position, as shares (t, y, x).
        head: one of them, or None for their mean.
        lines: how many connections are drawn.
        scores, survey: of this position, and of all queries.
    """

    trace: ForwardTrace
    result: AttentionResult
    at: At
    head: int | None
    lines: int
    scores: Scores
    survey: AttentionSummary

    @property
    def title(self) -> str:
        """Title of the map."""
        of = self.result.block
        function = f", {TITLES[self.result.function]}" if self.result.function else ""
        head = f", head {self.head}" if self.head is not None else ""
        return f"Attention of {of.name} ({of.kind}{function}{head}), cell {self.result.cell}"

    @property
    def words(self) -> list[str]:
        """The map's statistics in sentences."""
        return attention_words(self.result, self.scores, self.survey)

    def png(self) -> bytes:
        """The map over the frames."""
        drawn = picture.attention_picture(
            self.trace, self.result, self.head, self.lines, self.words
        )
        return picture.png(drawn)

    def npz(self) -> bytes:
        """level_0 ... of float32 [heads, T, H, W], who asked, and which frames."""
        of = self.result.block
        return _npz(
            self.trace,
            **{f"level_{number}": level for number, level in enumerate(self.result.levels)},
            query=self.result.cell,
            query_grid=of.query_grid,
            block=of.name,
            function=self.result.function,
        )

    def json(self) -> dict:
        """Plain JSON types; the weights themselves are in the array."""
        return attention_json(self)


@dataclass(frozen=True)
class ExplainedClass:
    """A class activation map, and tests of its faithfulness.

    Attributes:
        trace, result: the forward pass and the map.
        trust: deletion and insertion, where requested.
        likeness: rank correlation with the map of the shuffled network, where requested.
    """

    trace: ForwardTrace
    result: Activation
    trust: Faithfulness | None = None
    likeness: float | None = None

    @property
    def title(self) -> str:
        """Title of the map."""
        return _class_title(self.trace, self.result)

    @property
    def words(self) -> list[str]:
        """Sentences on where the map is strongest and whether to trust it."""
        return class_words(self)

    def png(self) -> bytes:
        """The map over the frames."""
        return picture.png(picture.activation_picture(self.trace, self.result, self.words))

    def npz(self) -> bytes:
        """values float32 [T, H, W], of what, and which frames."""
        return _npz(
            self.trace,
            values=self.result.values,
            method=self.result.method,
            layer=self.result.layer,
            target=self.trace.card.classes[self.result.target],
        )

    def json(self) -> dict:
        """Plain JSON types, the map cell by cell."""
        return class_json(self)


def explained_attention(
    trace: ForwardTrace,
    place: tuple[float, float, int] | At,
    of: str | None = None,
    head: int | None = None,
    function: Function | None = None,
    lines: int = 8,
) -> ExplainedAttention:
    """Compute the attention from a place.

    Args:
        trace: the forward pass.
        place: (x, y, frame): a pixel of the clip as it was given, and the number of a sampled frame.
        of: name of a block, the last where none is given.
        head: one head, or the mean.
        function: the pairwise function f; the block's own where none is given.
        lines: strongest connections drawn.

    Raises:
        ChoiceError: the model has no such block, head, function or place.
    """
    return attention_at(trace, share_of(trace, *place), of, head, function, lines)


def attention_at(
    trace: ForwardTrace,
    at: At,
    of: str | None = None,
    head: int | None = None,
    function: Function | None = None,
    lines: int = 8,
) -> ExplainedAttention:
    """The same for a moment and a place as shares (t, y, x)."""
    chosen = block(trace, of)
    result = attended(trace, chosen, at, function)
    return ExplainedAttention(
        trace=trace,
        result=result,
        at=at,
        head=head,
        lines=lines,
        scores=scores(trace, result, head),
        survey=survey(trace, chosen, head, function),
    )


def explained_class(
    trace: ForwardTrace,
    name: str | None = None,
    method: str = "grad-cam",
    trust: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> ExplainedClass:
    """Compute a class activation map.

    Args:
        trace: the forward pass.
        name: of a class; the likeliest where none is given.
        method: one of `METHODS`, or 'rollout' for transformers, which knows no class.
        trust: also delete, insert and shuffle.
        on_progress: called with the share of that which is done.

    Raises:
        ChoiceError: there is no such class or method, or the model has no such map.
    """
    target = None if name is None else class_number(trace, name)
    if method == "rollout":
        result = rollout(trace)
    elif method in METHODS:
        result = activation(trace, target, method)
    else:
        choices = ", ".join((*METHODS, "rollout"))
        raise ChoiceError(f"There is no method '{str(method)[:60]}': choose {choices}.")
    if not trust:
        return ExplainedClass(trace, result)
    say = on_progress or (lambda done: None)
    curves = faithfulness(trace, result, on_progress=lambda done: say(0.9 * done))
    likeness = stays_when_shuffled(trace, result) if method in METHODS else None
    say(1.0)
    return ExplainedClass(trace, result, curves, likeness)


def class_number(trace: ForwardTrace, name: str) -> int:
    """A class's number among the model's.

    Raises:
        ChoiceError: there is none of that name; the sentence names those that look like it.
    """
    known = {known.lower(): number for number, known in enumerate(trace.card.classes)}
    wanted = str(name)[:60]
    if wanted.lower() in known:
        return known[wanted.lower()]
    holding = [each for each in known if wanted and wanted.lower() in each][:3]
    near = holding or difflib.get_close_matches(wanted.lower(), known, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else f"it knows {trace.card.label_set}."
    raise ChoiceError(f"{trace.card.title} knows no action '{wanted}': {advice}")


def attention_words(
    result: AttentionResult, statistics: Scores, every: AttentionSummary
) -> list[str]:
    """Describe the statistics of a map in sentences."""
    of = result.block
    if statistics.total == 0:
        return ["From here this function gives nothing to any cell: there is no map to read."]
    said = [
        f"Attention is spread as if over {_number(statistics.even)} of {statistics.cells} cells "
        f"({statistics.entropy:.1f} of at most {np.log2(statistics.cells):.1f} bits of entropy)."
    ]
    if of.query_grid == (1, 1, 1):
        said.append(
            "The whole centre frame asks here, so the place you choose makes no difference."
        )
    else:
        said.append(
            f"On average it looks {statistics.space:.2f} picture widths and {statistics.time:.2f} s away; were it "
            f"even, {statistics.even_space:.2f} widths and {statistics.even_time:.2f} s. "
            f"{statistics.same_moment * 100:.0f} % stays at the moment that asks."
        )
        said.append(_independence(every))
    if len(statistics.levels) > 1:
        shares = ", ".join(
            f"{share * 100:.0f} % goes to regions of {t} × {h} × {w}"
            for share, (t, h, w) in zip(statistics.levels, of.key_grids, strict=True)
        )
        said.append(f"Of the pyramid's levels, {shares}.")
    if of.window:
        t, h, w = of.window
        said.append(
            f"Only cells of the same box of {t} × {h} × {w} can see each other in this layer"
            + (", and the boxes are shifted by half." if of.kind.endswith("shifted") else ".")
        )
    if of.window and statistics.total < 0.995:
        said.append(
            f"{(1 - statistics.total) * 100:.0f} % falls on padding, which fills up the boxes at the edges."
        )
    if statistics.negative > 0:
        said.append(
            f"{statistics.negative * 100:.0f} % of the weight is below nothing: those cells count against."
        )
    if of.kind.startswith("compact"):
        said.append(
            "This block compares channels, too, and all positions share one map up to a factor: that "
            "is how it saves its computing."
        )
    return said


def function_rows(trace: ForwardTrace, result: AttentionResult, at, head: int | None) -> list[dict]:
    """The same position under all four functions of a pair; empty where there is one alone.

    Returns:
        For each its name and title, whether it is the block's own, entropy in bits, the share of
        attention that lands elsewhere than with the block's own, query-independence, and whether the
        function gives nothing to any cell from here.
    """
    of = result.block
    if not of.function:
        return []
    known = {result.function: result}
    own = known.get(of.function) or attended(trace, of, at)
    known[of.function] = own
    rows = []
    for name in FUNCTIONS:
        other = known.get(name) or attended(trace, of, at, name)
        told = scores(trace, other, head)
        rows.append(
            {
                "function": name,
                "title": TITLES[name],
                "own": name == of.function,
                "entropy": told.entropy,
                "empty": told.total == 0,
                "elsewhere": moved(own, other, head),
                "independence": survey(trace, of, head, name).independence,
            }
        )
    return rows


def attention_json(explained: ExplainedAttention) -> dict:
    """A map and what it amounts to in plain JSON types; the weights themselves are in the array."""
    trace, result = explained.trace, explained.result
    statistics, every = explained.scores, explained.survey
    of = result.block
    return {
        **_header(trace),
        "block": of.name,
        "kind": of.kind,
        "function": result.function,
        "head": explained.head,
        "heads": of.heads,
        "query": list(result.cell),
        "query_grid": list(of.query_grid),
        "key_grids": [list(grid) for grid in of.key_grids],
        "scores": {
            "entropy_bits": _rounded(statistics.entropy),
            "cells": statistics.cells,
            "as_if_over_cells": _rounded(statistics.even),
            "distance_widths": _rounded(statistics.space),
            "distance_widths_if_even": _rounded(statistics.even_space),
            "distance_seconds": _rounded(statistics.time),
            "distance_seconds_if_even": _rounded(statistics.even_time),
            "same_moment": _rounded(statistics.same_moment),
            "negative": _rounded(statistics.negative),
            "levels": [_rounded(share) for share in statistics.levels],
        },
        "all_queries": {
            "queries": every.queries,
            "entropy_bits": _rounded(every.entropy),
            "independence": _rounded(every.independence),
        },
        "strongest": [
            {"level": level, "cell": list(cell), "weight": _rounded(weight)}
            for level, cell, weight in connections(result, explained.lines, explained.head)
        ],
        "words": explained.words,
    }


def class_json(explained: ExplainedClass) -> dict:
    """A map in plain JSON types, cell by cell, with its curves if they were drawn."""
    trace, result, trust = explained.trace, explained.result, explained.trust
    return {
        **_header(trace),
        "method": result.method,
        "class": trace.card.classes[result.target],
        "probability": _rounded(trace.scores[result.target]),
        "layer": result.layer,
        "grid": list(result.values.shape),
        "values": np.round(result.values.astype(float), PLACES).tolist(),
        "faithfulness": None
        if trust is None
        else {
            name: {
                "area": _rounded(trust.area(name)),
                "probabilities": [_rounded(p) for p in getattr(trust, name)],
            }
            for name in ("deletion", "insertion", "deletion_by_chance", "insertion_by_chance")
        },
        "rank_correlation_when_shuffled": None
        if explained.likeness is None
        else _rounded(explained.likeness),
        "words": explained.words,
    }


def class_words(explained: ExplainedClass) -> list[str]:
    """Describe where the map is strongest, and what deletion, insertion and shuffled parameters say of it."""
    trace, result, trust = explained.trace, explained.result, explained.trust
    values = result.values
    if values.max() <= 0:
        return ["The map is empty: the model found no evidence for that class in this clip."]
    t, h, w = values.shape
    share = values.sum(axis=(1, 2)) / values.sum()
    best = int(share.argmax())
    frame = picture.frame_of(best, t, len(trace.frames))
    said_first = f"The map has {t} × {h} × {w} cells, those of layer {result.layer}. "
    if t > 1:
        said_first += (
            f"It is strongest at {trace.seconds[frame]:.1f} s, which holds {share[best] * 100:.0f} % of it "
            f"(even would be {100 / t:.0f} %)."
        )
    else:
        said_first += "The model has merged all moments by then, so it says where, not when."
    return [said_first, *(faithfulness_words(trust, explained.likeness) if trust else [])]


def faithfulness_words(trust: Faithfulness, likeness: float | None) -> list[str]:
    """Describe in sentences what deletion, insertion and shuffled parameters say of a map."""
    better = trust.better
    verdict = {
        (True, True): "Both say that the map found what counts.",
        (False, False): "Both say that chance does as well: do not trust this map.",
    }.get(better, "They disagree: read this map with care.")
    said = [
        f"Greying out the map's strongest cells first leaves an area of {trust.area('deletion'):.2f} "
        f"(by chance {trust.area('deletion_by_chance'):.2f}; smaller is better). Bringing them back "
        f"first gives {trust.area('insertion'):.2f} (by chance "
        f"{trust.area('insertion_by_chance'):.2f}; larger is better). {verdict}"
    ]
    if likeness is not None:
        said.append(
            "With the network's parameters shuffled, "
            + (
                f"the map is another one (rank correlation {likeness:.2f}), as it should be."
                if likeness < LOOSE
                else f"the map stays much as it is (rank correlation {likeness:.2f}): it shows the "
                "picture and the network's build more than what was learned."
            )
        )
    return said


def _npz(trace: ForwardTrace, **arrays) -> bytes:
    file = io.BytesIO()
    about = {
        "model": trace.card.name,
        "frames": trace.frames,
        "seconds": trace.seconds,
        "box": trace.box,
    }
    np.savez_compressed(file, **arrays, **about, sha256=trace.clip.sha256)
    return file.getvalue()


def _class_title(trace: ForwardTrace, result: Activation) -> str:
    if result.method == "rollout":
        return f"Attention rollout through {result.layer}"
    name = trace.card.classes[result.target]
    return f"Class activation map of '{name}' ({trace.scores[result.target]:.0%}), {result.method}"


def _header(trace: ForwardTrace) -> dict:
    name, probability = trace.top(1)[0]
    return {
        "clip": {"sha256": trace.clip.sha256, "name": trace.clip.source.name},
        "model": trace.card.name,
        "top": {"class": name, "probability": _rounded(probability)},
        "frames": trace.frames.tolist(),
        "seconds": [_rounded(moment) for moment in trace.seconds],
        "box": list(trace.box),
        "weights": trace.provenance.source,
    }


def _independence(every: AttentionSummary) -> str:
    likeness = f"(their maps' mean cosine is {every.independence:.2f})"
    if every.independence >= ALIKE:
        return (
            f"All {every.queries} positions attend to the same places {likeness}: the query makes no "
            "difference, and every position receives the same."
        )
    if every.independence >= MUCH_ALIKE:
        return f"The {every.queries} positions attend to much the same places {likeness}."
    return (
        f"The query matters: the {every.queries} positions attend to different places {likeness}."
    )


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _rounded(value: float) -> float:
    return round(float(value), PLACES)
