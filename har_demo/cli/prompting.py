"""Commands of free text: score sentences for a clip, rank clips for a sentence."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from har_demo.cli.arguments import check_clip, printable
from har_demo.cli.output import progress, table

if TYPE_CHECKING:
    from har_demo.clips.clip import Clip
    from har_demo.prompts import PromptAnswer


def ask(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    prompts: Annotated[
        list[str] | None, typer.Argument(help="Sentences: what the clip may show.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "--tower",
            help="embedded, or open_clip's model/tag; `image-text-models` lists them. By default CLIP "
            "where it can be had, else embedded.",
        ),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Also ask a list: Kinetics-400, UCF101, Everyday 39 ...")
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(help="A sentence with {} for the prompt; may be repeated, then averaged."),
    ] = None,
    pooling: Annotated[
        str,
        typer.Option(
            help="Pooling over time: mean, max, attention or transformer, a learned one of the embedded "
            "model and of those that prompts were learned around: at chance outside its 39 actions (4.4 % of "
            "45 clips, guessing 3.4 %)."
        ),
    ] = "mean",
    none: Annotated[bool, typer.Option(help="With 'none of these' as an answer.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Least similarity; below it the answer is 'none of these'.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Of the softmax; the model's own by default.")
    ] = None,
    frames: Annotated[int, typer.Option(help="Number of frames, spread over the clip.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Score sentences by how well they fit a clip, and when."""
    check_clip(clip)
    from har_demo import prompts as words
    from har_demo.clips.ingest import ingest

    wanted = [*(prompts or []), *(words.class_list(classes) if classes else ())]
    words.normalise_prompts(wanted)  # what cannot be asked is said before the clip is read
    found = ingest(clip, on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"))
    answer = words.ask(
        found,
        wanted,
        model,
        pooling,
        template or words.PLAIN,
        words.BACKGROUND if none else (),
        threshold,
        temperature,
        frames,
        on_progress=lambda done, what: progress(f"{done:4.0%}  {what}"),
    )
    progress("")
    if as_json:
        typer.echo(json.dumps(words.answer_json(found, answer), indent=1))
    else:
        typer.echo(_prompts_text(found, answer, _why(model, answer.notes)))


def search(
    sentence: Annotated[str, typer.Argument(help="The sentence to search for.")],
    clips: Annotated[list[str], typer.Argument(help="Video files, or folders of them.")],
    model: Annotated[str | None, typer.Option("--model", "--tower", help="As for `ask`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Rank up to 50 clips by how well a sentence fits them."""
    from har_demo import prompts as words

    files = words.video_files([Path(one) for one in clips])
    ranking = words.search_files(
        files, sentence, model, lambda done, what: progress(f"{done:4.0%}  {printable(what)}")
    )
    progress("")
    if as_json:
        typer.echo(json.dumps(words.ranking_json(ranking), indent=1))
        return
    rows = [
        (f"{one.similarity:.3f}", f"{one.seconds:.1f} s", printable(one.clip.source.name))
        for one in ranking.found
    ]
    typer.echo(table([("similarity", "best at", "clip"), *rows]))
    for note in _why(model, ranking.notes):
        typer.echo(note)
    for one in ranking.unread:
        typer.echo(f"{printable(one.name)} is left out: {one.why}", err=True)


def image_text_models(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """List the image-text models for `ask` and `search`, with sizes and licences."""
    from dataclasses import asdict

    from har_demo import prompts as words

    known = words.image_text_models()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in known], indent=1))
        return
    rows = [
        (one.name, one.state, f"{one.bytes / 1e6:.0f} MB" if one.bytes else "", one.licence)
        for one in known
    ]
    typer.echo(table([("name", "weights", "about", "licence"), *rows]))


def _why(model: str | None, notes: tuple[str, ...]) -> tuple[str, ...]:
    """Notes on an answer, with which model gave it and why where none was chosen."""
    from har_demo import prompts as words

    if model not in (None, words.DEFAULT):
        return notes
    return tuple(dict.fromkeys((words.default_model().why, *notes)))


def _prompts_text(clip: "Clip", answer: "PromptAnswer", notes: tuple[str, ...]) -> str:
    """Return the likeliest prompts with their similarities as text."""
    source = clip.source
    looked = f"{len(answer.frames)} frames, {answer.pooling} over time"
    lines = [
        f"{source.name}: {clip.duration:.1f} s, {source.width} × {source.height}",
        f"\n{answer.title}  ({looked}, temperature {answer.temperature:.3g})",
    ]
    rows = [
        (probability, similarity, f"{best / answer.fps:.1f} s", prompt)
        for probability, similarity, best, prompt in zip(
            answer.probabilities, answer.pooled, answer.best, answer.prompts, strict=True
        )
    ]
    if answer.none is not None:
        rows.append((answer.none, None, "", "none of these"))
    rows.sort(key=lambda row: -row[0])
    header = ("", "similarity", "best at", "prompt")
    shown = [
        (f"{share:6.1%}", "" if near is None else f"{near:.3f}", best, prompt)
        for share, near, best, prompt in rows[:10]
    ]
    lines += table([header, *shown]).splitlines()
    if answer.below:
        lines.append("None of these: no prompt reaches the threshold.")
    return "\n".join([*lines, *notes])
