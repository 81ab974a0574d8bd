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
        look, found: of which pass, and the map.
        at: who asks, as shares.
        head: one of them, or None for their mean.
        lines: how many connections are drawn.
        scores, survey: of this position, and of all that can ask.
    """

    look: ForwardTrace
    found: AttentionResult
    at: At
    head: int | None
    lines: int
    scores: Scores
    survey: AttentionSummary

    @property
    def title(self) -> str:
        """Title of the map."""
        of = self.found.block
        function = f", {TITLES[self.found.function]}" if self.found.function else ""
        head = f", head {self.head}" if self.head is not None else ""
        return f"Attention of {of.name} ({of.kind}{function}{head}), cell {self.found.cell}"

    @property
    def words(self) -> list[str]:
        """The map's statistics in sentences."""
        return attention_words(self.found, self.scores, self.survey)

    def png(self) -> bytes:
        """The map over the frames."""
        drawn = picture.attention_picture(self.look, self.found, self.head, self.lines, self.words)
        return picture.png(drawn)

    def npz(self) -> bytes:
        """level_0 ... of float32 [heads, T, H, W], who asked, and which frames."""
        of = self.found.block
        return _npz(
            self.look,
            **{f"level_{number}": level for number, level in enumerate(self.found.levels)},
            query=self.found.cell,
            query_grid=of.query_grid,
            block=of.name,
            function=self.found.function,
        )

    def json(self) -> dict:
        """Plain JSON types; the weights themselves are in the array."""
        return attention_json(self)


@dataclass(frozen=True)
class ExplainedClass:
    """A class activation map, and tests of its faithfulness.

    Attributes:
        look, found: of which pass, and the map.
        trust: deletion and insertion, if they were asked for.
        likeness: rank correlation with the map of the shuffled network, if it was asked for.
    """

    look: ForwardTrace
    found: Activation
    trust: Faithfulness | None = None
    likeness: float | None = None

    @property
    def title(self) -> str:
        """Title of the map."""
        return _class_title(self.look, self.found)

    @property
    def words(self) -> list[str]:
        """Sentences on where the map is strongest and whether to trust it."""
        return class_words(self)

    def png(self) -> bytes:
        """The map over the frames."""
        return picture.png(picture.activation_picture(self.look, self.found, self.words))

    def npz(self) -> bytes:
        """values float32 [T, H, W], of what, and which frames."""
        return _npz(
            self.look,
            values=self.found.values,
            method=self.found.method,
            layer=self.found.layer,
            target=self.look.card.classes[self.found.target],
        )

    def json(self) -> dict:
        """Plain JSON types, the map cell by cell."""
        return class_json(self)


def explained_attention(
    one: ForwardTrace,
    place: tuple[float, float, int] | At,
    of: str | None = None,
    head: int | None = None,
    function: Function | None = None,
    lines: int = 8,
) -> ExplainedAttention:
    """Compute the attention from a place.

    Args:
        one: the look.
        place: (x, y, frame): a pixel of the clip as it was given, and the number of a sampled frame.
        of: name of a block, the last where none is given.
        head: one head, or the mean.
        function: of a pair; the block's own where none is given.
        lines: strongest connections drawn.

    Raises:
        ChoiceError: the model has no such block, head, function or place.
    """
    return attention_at(one, share_of(one, *place), of, head, function, lines)


def attention_at(
    one: ForwardTrace,
    at: At,
    of: str | None = None,
    head: int | None = None,
    function: Function | None = None,
    lines: int = 8,
) -> ExplainedAttention:
    """The same for a moment and a place as shares (t, y, x)."""
    asked = block(one, of)
    found = attended(one, asked, at, function)
    return ExplainedAttention(
        look=one,
        found=found,
        at=at,
        head=head,
        lines=lines,
        scores=scores(one, found, head),
        survey=survey(one, asked, head, function),
    )


def explained_class(
    one: ForwardTrace,
    name: str | None = None,
    method: str = "grad-cam",
    trust: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> ExplainedClass:
    """Compute a class activation map.

    Args:
        one: the look.
        name: of a class; the likeliest where none is given.
        method: one of `METHODS`, or 'rollout' for transformers, which knows no class.
        trust: also delete, insert and shuffle.
        on_progress: called with the share of that which is done.

    Raises:
        ChoiceError: there is no such class or method, or the model has no such map.
    """
    target = None if name is None else class_number(one, name)
    if method == "rollout":
        found = rollout(one)
    elif method in METHODS:
        found = activation(one, target, method)
    else:
        choices = ", ".join((*METHODS, "rollout"))
        raise ChoiceError(f"There is no method '{str(method)[:60]}': choose {choices}.")
    if not trust:
        return ExplainedClass(one, found)
    say = on_progress or (lambda done: None)
    curves = faithfulness(one, found, on_progress=lambda done: say(0.9 * done))
    likeness = stays_when_shuffled(one, found) if method in METHODS else None
    say(1.0)
    return ExplainedClass(one, found, curves, likeness)


def class_number(one: ForwardTrace, name: str) -> int:
    """A class's number among the model's.

    Raises:
        ChoiceError: there is none of that name; the sentence names those that look like it.
    """
    known = {known.lower(): number for number, known in enumerate(one.card.classes)}
    wanted = str(name)[:60]
    if wanted.lower() in known:
        return known[wanted.lower()]
    holding = [each for each in known if wanted and wanted.lower() in each][:3]
    near = holding or difflib.get_close_matches(wanted.lower(), known, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else f"it knows {one.card.label_set}."
    raise ChoiceError(f"{one.card.title} knows no action '{wanted}': {advice}")


def attention_words(found: AttentionResult, told: Scores, every: AttentionSummary) -> list[str]:
    """Describe the statistics of a map in sentences."""
    of = found.block
    if told.total == 0:
        return ["From here this function gives nothing to any cell: there is no map to read."]
    said = [
        f"Attention is spread as if over {_number(told.even)} of {told.cells} cells "
        f"({told.entropy:.1f} of at most {np.log2(told.cells):.1f} bits of entropy)."
    ]
    if of.query_grid == (1, 1, 1):
        said.append(
            "The whole centre frame asks here, so the place you choose makes no difference."
        )
    else:
        said.append(
            f"On average it looks {told.space:.2f} picture widths and {told.time:.2f} s away; were it "
            f"even, {told.even_space:.2f} widths and {told.even_time:.2f} s. "
            f"{told.same_moment * 100:.0f} % stays at the moment that asks."
        )
        said.append(_independence(every))
    if len(told.levels) > 1:
        shares = ", ".join(
            f"{share * 100:.0f} % goes to regions of {t} × {h} × {w}"
            for share, (t, h, w) in zip(told.levels, of.key_grids, strict=True)
        )
        said.append(f"Of the pyramid's levels, {shares}.")
    if of.window:
        t, h, w = of.window
        said.append(
            f"Only cells of the same box of {t} × {h} × {w} can see each other in this layer"
            + (", and the boxes are shifted by half." if of.kind.endswith("shifted") else ".")
        )
    if of.window and told.total < 0.995:
        said.append(
            f"{(1 - told.total) * 100:.0f} % falls on padding, which fills up the boxes at the edges."
        )
    if told.negative > 0:
        said.append(
            f"{told.negative * 100:.0f} % of the weight is below nothing: those cells count against."
        )
    if of.kind.startswith("compact"):
        said.append(
            "This block compares channels, too, and all positions share one map up to a factor: that "
            "is how it saves its computing."
        )
    return said


def function_rows(one: ForwardTrace, found: AttentionResult, at, head: int | None) -> list[dict]:
    """The same position under all four functions of a pair; empty where there is one alone.

    Returns:
        For each its name and title, whether it is the block's own, entropy in bits, the share of
        attention that lands elsewhere than with the block's own, query-independence, and whether the
        function gives nothing to any cell from here.
    """
    of = found.block
    if not of.function:
        return []
    known = {found.function: found}
    own = known.get(of.function) or attended(one, of, at)
    known[of.function] = own
    rows = []
    for name in FUNCTIONS:
        other = known.get(name) or attended(one, of, at, name)
        told = scores(one, other, head)
        rows.append(
            {
                "function": name,
                "title": TITLES[name],
                "own": name == of.function,
                "entropy": told.entropy,
                "empty": told.total == 0,
                "elsewhere": moved(own, other, head),
                "independence": survey(one, of, head, name).independence,
            }
        )
    return rows


def attention_json(said: ExplainedAttention) -> dict:
    """A map and what it amounts to in plain JSON types; the weights themselves are in the array."""
    one, found, told, every = said.look, said.found, said.scores, said.survey
    of = found.block
    return {
        **_header(one),
        "block": of.name,
        "kind": of.kind,
        "function": found.function,
        "head": said.head,
        "heads": of.heads,
        "query": list(found.cell),
        "query_grid": list(of.query_grid),
        "key_grids": [list(grid) for grid in of.key_grids],
        "scores": {
            "entropy_bits": _rounded(told.entropy),
            "cells": told.cells,
            "as_if_over_cells": _rounded(told.even),
            "distance_widths": _rounded(told.space),
            "distance_widths_if_even": _rounded(told.even_space),
            "distance_seconds": _rounded(told.time),
            "distance_seconds_if_even": _rounded(told.even_time),
            "same_moment": _rounded(told.same_moment),
            "negative": _rounded(told.negative),
            "levels": [_rounded(share) for share in told.levels],
        },
        "all_queries": {
            "queries": every.queries,
            "entropy_bits": _rounded(every.entropy),
            "independence": _rounded(every.independence),
        },
        "strongest": [
            {"level": level, "cell": list(cell), "weight": _rounded(weight)}
            for level, cell, weight in connections(found, said.lines, said.head)
        ],
        "words": said.words,
    }


def class_json(said: ExplainedClass) -> dict:
    """A map in plain JSON types, cell by cell, with its curves if they were drawn."""
    one, found, trust = said.look, said.found, said.trust
    return {
        **_header(one),
        "method": found.method,
        "class": one.card.classes[found.target],
        "probability": _rounded(one.scores[found.target]),
        "layer": found.layer,
        "grid": list(found.values.shape),
        "values": np.round(found.values.astype(float), PLACES).tolist(),
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
        if said.likeness is None
        else _rounded(said.likeness),
        "words": said.words,
    }


def class_words(said: ExplainedClass) -> list[str]:
    """Describe where the map is strongest, and what deletion, insertion and shuffled parameters say of it."""
    one, found, trust = said.look, said.found, said.trust
    values = found.values
    if values.max() <= 0:
        return ["The map is empty: nothing in this clip spoke for that action."]
    t, h, w = values.shape
    share = values.sum(axis=(1, 2)) / values.sum()
    best = int(share.argmax())
    frame = picture.frame_of(best, t, len(one.frames))
    said_first = f"The map has {t} × {h} × {w} cells, those of layer {found.layer}. "
    if t > 1:
        said_first += (
            f"It is strongest at {one.seconds[frame]:.1f} s, which holds {share[best] * 100:.0f} % of it "
            f"(even would be {100 / t:.0f} %)."
        )
    else:
        said_first += "The model has merged all moments by then, so it says where, not when."
    return [said_first, *(faithfulness_words(trust, said.likeness) if trust else [])]


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


def _npz(one: ForwardTrace, **arrays) -> bytes:
    file = io.BytesIO()
    about = {"model": one.card.name, "frames": one.frames, "seconds": one.seconds, "box": one.box}
    np.savez_compressed(file, **arrays, **about, sha256=one.clip.sha256)
    return file.getvalue()


def _class_title(one: ForwardTrace, found: Activation) -> str:
    if found.method == "rollout":
        return f"Attention rollout through {found.layer}"
    name = one.card.classes[found.target]
    return f"What spoke for '{name}' ({one.scores[found.target]:.0%}), {found.method}"


def _header(one: ForwardTrace) -> dict:
    name, probability = one.top(1)[0]
    return {
        "clip": {"sha256": one.clip.sha256, "name": one.clip.source.name},
        "model": one.card.name,
        "top": {"class": name, "probability": _rounded(probability)},
        "frames": one.frames.tolist(),
        "seconds": [_rounded(moment) for moment in one.seconds],
        "box": list(one.box),
        "weights": one.provenance.source,
    }


def _independence(every: AttentionSummary) -> str:
    likeness = f"(their maps' mean cosine is {every.independence:.2f})"
    if every.independence >= ALIKE:
        return (
            f"All {every.queries} positions look at the same places {likeness}: who asks makes no "
            "difference, and the block tells everybody the same about the clip."
        )
    if every.independence >= MUCH_ALIKE:
        return f"The {every.queries} positions look at much the same places {likeness}."
    return f"Who asks matters: the {every.queries} positions look at different places {likeness}."


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _rounded(value: float) -> float:
    return round(float(value), PLACES)
