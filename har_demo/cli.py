"""The same verbs as the pages, without a browser: python -m har_demo recognize clip.mp4 ...

A mistake in what was given is one sentence on the standard error and exit code 2. Everything heavy
is imported inside the commands, so that --help answers at once.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from har_demo.errors import ChoiceError, ClipError, UserError, WeightsError

if TYPE_CHECKING:
    from har_demo.clips.clip import Clip
    from har_demo.explain.samplings import Sampled
    from har_demo.explain.sensitivity import Grid
    from har_demo.models.card import ModelCard
    from har_demo.prompts import Answer
    from har_demo.recognize.prediction import Prediction, Refusal
    from har_demo.training.evaluate import Measured, Outcome

BAR = 28
EVALUATED = 390  # rendered clips, as many as a training is tested on: ten of every action

app = typer.Typer(
    help="Recognise actions in video clips, with many models side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
people = typer.Typer(
    help="Render clips of people doing things, with everything known of every pixel.",
    no_args_is_help=True,
)
app.add_typer(people, name="people")


@contextmanager
def plainly() -> Iterator[None]:
    """A person's mistake ends the program with a sentence, not with a stack trace."""
    try:
        yield
    except UserError as problem:
        _progress("")
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None


@app.command()
@plainly()
def recognize(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    models: Annotated[str, typer.Option(help="Names from `models`, with commas between.")] = "",
    frames: Annotated[int | None, typer.Option(help="Frames per window.")] = None,
    stride: Annotated[float | None, typer.Option(help="Clip frames from one to the next.")] = None,
    windows: Annotated[int | None, typer.Option(help="Windows, spread over the clip.")] = None,
    crops: Annotated[int, typer.Option(help="1 (centre) or 3 (start, centre, end).")] = 1,
    weights: Annotated[
        list[str] | None, typer.Option(help="Your own parameters, as model=FILE; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
    csv: Annotated[str | None, typer.Option(help="Write a table to this file.")] = None,
    annotated: Annotated[
        str | None, typer.Option(help="Write the clip with the answers drawn on to this .mp4 file.")
    ] = None,
) -> None:
    """Rank the actions in a clip with one or more models."""
    names = [name.strip() for name in models.split(",") if name.strip()]
    files = _own_files(weights or [], names)
    for out in (csv, annotated):
        _check_out(out)
    _check_clip(clip)

    from har_demo.clips.ingest import ingest
    from har_demo.models import registry
    from har_demo.recognize import export
    from har_demo.recognize.prediction import Prediction, Question
    from har_demo.recognize.recognize import recognize

    if not names:
        raise ChoiceError(
            "No model is chosen: name some with --models, of those that the command `models` lists."
        )
    questions = [
        Question(name, frames, stride, windows, crops, weights=files.get(name)) for name in names
    ]
    for name in names:
        registry.card(name)  # a wrong name is said before the clip is read

    found = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    answers = list(
        recognize(found, questions, lambda done, words: _progress(f"{done:4.0%}  {words}"))
    )
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    if annotated and predictions:
        export.annotate(
            found, predictions, annotated, lambda done: _progress(f"{done:4.0%}  Drawing")
        )
    if csv:
        # The table brings its own line ends.
        Path(csv).write_text(export.as_csv(found, answers), encoding="utf-8", newline="")
    _progress("")

    if as_json:
        typer.echo(json.dumps(export.as_json(found, answers), indent=1))
    elif predictions:
        typer.echo(_answers_text(found, answers))
    if not predictions:
        raise WeightsError(" ".join(answer.message for answer in answers))


@app.command()
@plainly()
def ask(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    prompts: Annotated[
        list[str] | None, typer.Argument(help="Sentences: what the clip may show.")
    ] = None,
    tower: Annotated[
        str | None,
        typer.Option(help="embedded (the default), or open_clip's model/tag; `towers` lists them."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Also ask a list: Kinetics-400, UCF101, Everyday 39 ...")
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(help="A sentence with {} for the prompt; may be repeated, then averaged."),
    ] = None,
    pooling: Annotated[
        str, typer.Option(help="Over time: mean, max, attention or transformer.")
    ] = "mean",
    none: Annotated[bool, typer.Option(help="With 'none of these' as an answer.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="The least similarity, else 'none of these'.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Of the softmax; the towers' own by default.")
    ] = None,
    frames: Annotated[int, typer.Option(help="How many frames are looked at.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Say which of some sentences a clip shows, and when."""
    _check_clip(clip)
    from har_demo import prompts as words
    from har_demo.clips.ingest import ingest

    wanted = [*(prompts or []), *(words.class_list(classes) if classes else ())]
    words.tidy(wanted)  # what cannot be asked is said before the clip is read
    found = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    answer = words.ask(
        found,
        wanted,
        tower,
        pooling,
        template or words.PLAIN,
        words.BACKGROUND if none else (),
        threshold,
        temperature,
        frames,
        on_progress=lambda done, what: _progress(f"{done:4.0%}  {what}"),
    )
    _progress("")
    if as_json:
        typer.echo(json.dumps(words.answer_json(found, answer), indent=1))
    else:
        typer.echo(_prompts_text(found, answer))


@app.command()
@plainly()
def edits(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")] = "",
    model: Annotated[
        str, typer.Option(help="Names from `models`, with commas between, or `shipped` for all.")
    ] = "",
    which: Annotated[
        str,
        typer.Option(
            "--edits", help="With commas between, as reverse,darken=0.1; all of them by default."
        ),
    ] = "",
    start: Annotated[float, typer.Option(help="From this second on, ten of them at most.")] = 0.0,
    out: Annotated[
        str | None, typer.Option(help="Write the grid of scores to this .csv or .json file.")
    ] = None,
    video: Annotated[
        str | None, typer.Option(help="Write the clip, edited by the one edit given, to this .mp4.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Change a clip in many ways and see which models mind: who uses motion, and who the place.

    Without a clip the edits are listed.
    """
    for file in (out, video):
        _check_out(file)
    from har_demo.explain import edits as ways

    if not clip:
        typer.echo(_edits_text())
        return
    if out and Path(out).suffix not in (".csv", ".json"):
        raise ChoiceError(f"'{_shown(out)}' says neither .csv nor .json: end it in one of them.")
    asked = ways.several(_names(which) or list(ways.EDITS))
    if video and len(asked) != 1:
        raise ChoiceError("A video shows one edit: name one with --edits.")
    if not model and not video:
        raise ChoiceError("No model is chosen: name some with --model, or write a --video.")
    _check_clip(clip)
    names = _evaluated(model) if model else []

    from har_demo.clips.ingest import ingest
    from har_demo.clips.writer import write_video
    from har_demo.explain.edits_export import grid_csv, grid_json
    from har_demo.explain.film import film
    from har_demo.explain.sensitivity import grid

    found = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    taken = film(found, start)
    if video:
        write_video(video, ways.apply(taken.frames, asked[0], found.fps), found.fps)
    if not names:
        return
    *_, last = grid(taken, names, asked, lambda done, words: _progress(_bar(done, words)))
    _progress("")
    if out:
        text = grid_csv(last) if out.endswith(".csv") else json.dumps(grid_json(last), indent=1)
        Path(out).write_text(text, encoding="utf-8", newline="")
    typer.echo(json.dumps(grid_json(last), indent=1) if as_json else _grid_text(last))


@app.command()
@plainly()
def samplings(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    model: Annotated[
        str, typer.Option(help="Names from `models`, with commas between, or `shipped` for all.")
    ],
    kinds: Annotated[str, typer.Option(help="dense, uniform, segments; all by default.")] = "",
    frames: Annotated[str, typer.Option(help="Numbers from 1 to 64.")] = "4,8,16,32,64",
    strides: Annotated[str, typer.Option(help="Of dense sampling, in frames.")] = "1,4",
    start: Annotated[float, typer.Option(help="From this second on, ten of them at most.")] = 0.0,
    out: Annotated[str | None, typer.Option(help="Write a table to this .csv file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Show a clip to models by many samplings: which frames, which answer, at what cost."""
    _check_out(out)
    _check_clip(clip)
    from har_demo.clips.ingest import ingest
    from har_demo.explain import samplings as explain
    from har_demo.explain.film import film
    from har_demo.explain.samplings_export import samplings_csv, samplings_json

    asked = explain.ways(
        _names(kinds) or explain.KINDS,
        _numbers(frames, "--frames"),
        _numbers(strides, "--strides"),
    )
    names = _evaluated(model)
    found = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    taken = film(found, start)
    told = explain.samplings(taken, names, asked, lambda done, words: _progress(_bar(done, words)))
    all_told = list(told)
    _progress("")
    if out:
        Path(out).write_text(samplings_csv(taken.stretch, all_told), encoding="utf-8", newline="")
    if as_json:
        typer.echo(json.dumps(samplings_json(taken.stretch, all_told), indent=1))
    else:
        typer.echo(_samplings_text(all_told))


@app.command()
@plainly()
def explain(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    model: Annotated[str, typer.Option(help="A name from `models` whose weights are here.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="x,y,frame: a pixel of the clip, and which of the sampled frames, from 0. Shows where "
            "that place attends; without it, what spoke for a class."
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Write the map as a picture, .png.")] = None,
    array: Annotated[str | None, typer.Option(help="Write the numbers, .npz.")] = None,
    second: Annotated[
        float | None, typer.Option(help="The moment to look at; the clip's middle by default.")
    ] = None,
    block: Annotated[str | None, typer.Option(help="Of attention; the last by default.")] = None,
    head: Annotated[int | None, typer.Option(help="Of attention; the mean by default.")] = None,
    function: Annotated[
        str | None,
        typer.Option(help="gaussian, embedded_gaussian, dot_product or concatenation."),
    ] = None,
    lines: Annotated[int, typer.Option(help="Strongest connections to draw.", min=0)] = 8,
    of: Annotated[str | None, typer.Option("--class", help="The likeliest by default.")] = None,
    method: Annotated[
        str, typer.Option(help="grad-cam, grad-cam++, hirescam, layercam or rollout.")
    ] = "grad-cam",
    trust: Annotated[
        bool, typer.Option(help="Also whether the class's map is to be trusted.")
    ] = False,
    weights: Annotated[str | None, typer.Option(help="Your own parameters for the model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Show where a place of a clip attends (--at), or when and where a class was found."""
    place = _place(at) if at is not None else None
    if place and (of or trust or method != "grad-cam"):
        raise ChoiceError("--class, --method and --trust go without --at: ask for one of the two.")
    if not place and (block or head is not None or function):
        raise ChoiceError("--block, --head and --function go with --at: say who looks.")
    for file in (out, array):
        _check_out(file)
    _check_clip(clip)

    from har_demo.clips.ingest import ingest
    from har_demo.explain.export import explained_attention, explained_class
    from har_demo.explain.look import look
    from har_demo.models import registry

    registry.card(model)  # a wrong name is said before the clip is read
    found = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    one = look(
        found, model, second, weights, lambda done, words: _progress(f"{done:4.0%}  {words}")
    )
    if place:
        told = explained_attention(one, place, block, head, function, lines)
    else:
        told = explained_class(
            one, of, method, trust, lambda done: _progress(f"{done:4.0%}  Greying out and back")
        )
    if out:
        Path(out).write_bytes(told.png())
    if array:
        Path(array).write_bytes(told.npz())
    _progress("")
    if as_json:
        typer.echo(json.dumps(told.json(), indent=1))
        return
    name, probability = one.top(1)[0]
    typer.echo(f"{one.card.title}: {name}, {probability:.0%}\n{told.title}")
    for sentence in told.words:
        typer.echo(sentence)


@app.command()
@plainly()
def search(
    sentence: Annotated[str, typer.Argument(help="What is looked for.")],
    clips: Annotated[list[str], typer.Argument(help="Video files, or folders of them.")],
    tower: Annotated[str | None, typer.Option(help="As for `ask`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Rank up to 50 clips by how well a sentence fits them."""
    from har_demo import prompts as words

    files = words.video_files([Path(one) for one in clips])
    ranking = words.search_files(
        files, sentence, tower, lambda done, what: _progress(f"{done:4.0%}  {_shown(what)}")
    )
    _progress("")
    if as_json:
        typer.echo(json.dumps(words.ranking_json(ranking), indent=1))
        return
    rows = [
        (f"{one.similarity:.3f}", f"{one.seconds:.1f} s", _shown(one.clip.source.name))
        for one in ranking.found
    ]
    typer.echo(table([("similarity", "best at", "clip"), *rows]))
    for note in ranking.notes:
        typer.echo(note)
    for one in ranking.unread:
        typer.echo(f"{_shown(one.name)} is left out: {one.why}", err=True)


@app.command()
@plainly()
def towers(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """List the towers that `ask` and `search` know, their sizes and licences."""
    from dataclasses import asdict

    from har_demo import prompts as words

    known = words.towers()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in known], indent=1))
        return
    rows = [
        (one.name, one.state, f"{one.bytes / 1e6:.0f} MB" if one.bytes else "", one.licence)
        for one in known
    ]
    typer.echo(table([("name", "weights", "about", "licence"), *rows]))


@app.command()
@plainly()
def models(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """List the models and whether their weights are here."""
    from har_demo.recognize.catalogue import catalogue

    known = catalogue()
    if as_json:
        typer.echo(json.dumps(known, indent=1))
        return
    header = ("name", "title", "year", "parameters", "GMACs", "classes", "weights")
    rows = [
        (
            row["name"],
            row["title"],
            str(row["year"]),
            f"{row['parameters'] / 1e6:.1f} M" if row["parameters"] else "",
            f"{row['gmacs']:.1f}" if row["gmacs"] else "",
            row["label_set"],
            row["weights"]["state"],
        )
        for row in known
    ]
    typer.echo(table([header, *rows]))


@app.command()
@plainly()
def results(
    data_set: Annotated[str, typer.Option(help="One data set, such as Kinetics-400.")] = "",
    metric: Annotated[str, typer.Option(help="One metric, such as top-1.")] = "",
    search: Annotated[str, typer.Option(help="Words that must all stand in a row.")] = "",
    csv: Annotated[str | None, typer.Option(help="Write the whole rows to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """List what is published or was measured here: accuracies, with cost and source."""
    _check_out(csv)
    from har_demo.benchmarks import lab, published

    rows = published.asked((*published.load(), *lab.load()), data_set, metric, search)
    if csv:
        Path(csv).write_text(published.as_csv(rows), encoding="utf-8", newline="")
    if as_json:
        typer.echo(json.dumps(published.as_records(rows), indent=1))
    else:
        columns = ("method", "data set", "metric", "value", "parameters (M)", "cost (G)", "place")
        typer.echo(table([columns, *([row[column] for column in columns] for row in rows)]))


@app.command()
@plainly()
def weights(
    fetch: Annotated[
        str, typer.Option(help="Download the weights of this model, or of `all`.")
    ] = "",
    check: Annotated[
        bool, typer.Option(help="Whether shipped files are what they claim; exit code 1 if not.")
    ] = False,
) -> None:
    """Say whose weights are here, fetch them, or check those that are shipped."""
    if check:
        if fetch:
            raise ChoiceError("--check looks at shipped weights: leave out --fetch.")
        _check_shipped()
        return
    from har_demo.models import registry
    from har_demo.weights import availability, load

    if not fetch:
        rows = [
            (c.name, s.state, s.sentence)
            for c in registry.cards().values()
            for s in [availability(c)]
        ]
        typer.echo(table([("model", "state", "weights"), *rows]))
        return
    wanted = list(registry.cards().values()) if fetch == "all" else [registry.card(fetch)]
    failed = 0
    for card in wanted:
        try:
            _, provenance = load(
                card, None, lambda done, card=card: _progress(f"{done:4.0%}  {card.title}")
            )
            _progress("")
            typer.echo(f"{card.name}: {provenance.file} is here ({provenance.note}).")
        except WeightsError as problem:
            _progress("")
            typer.echo(str(problem), err=True)
            failed += 1
    if failed:
        raise typer.Exit(2)


@app.command()
@plainly()
def evaluate(
    model: Annotated[
        str, typer.Option(help="Names from `models`, with commas between, or `shipped` for all.")
    ],
    data: Annotated[
        str,
        typer.Option(help="A folder of class folders, UCF101's or a prepared one, or `people`."),
    ],
    clips: Annotated[
        int | None, typer.Option(help="How many to render, 390 by default.", min=1, max=10_000)
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="a or b: who is tested, in a prepared folder.")
    ] = None,
    listed: Annotated[
        str | None, typer.Option("--list", help="Only the clips of this list, as testlist01.txt.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Your own parameters for the model.")] = None,
    backwards: Annotated[
        bool, typer.Option("--reversed", help="Also with every clip backwards: twice as long.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(help="Write the figures to this .csv; stopped and called again, it goes on."),
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="A folder whose manifest.json also gets the figures.")
    ] = None,
) -> None:
    """Measure models again on labelled clips, or on rendered people without any files."""
    folder = _check_material(data, clips, split, listed)
    _check_out(out)
    if record and not (Path(record) / "manifest.json").is_file():
        raise ChoiceError(f"'{_shown(record)}' holds no manifest.json: give checkpoints.")

    from har_demo.training import material
    from har_demo.training.evaluate import evaluate, measure, subject
    from har_demo.training.record import entry_of, rows
    from har_demo.training.record import record as put_down
    from har_demo.training.report import COLUMNS, write_rows

    names = _evaluated(model)
    if weights and len(names) > 1:
        raise ChoiceError("Your own weights are for one model: name it alone with --model.")

    def gather(classes: Sequence[str]) -> material.Material:
        if folder is None:
            return material.people(classes, clips or EVALUATED)
        if (folder / "examples.json").is_file():
            return material.prepared(folder, classes, split or "a")
        return material.class_folders(folder, classes, Path(listed) if listed else None)

    subjects = []
    for name in names:
        _progress(f"Finding the clips and weights of {name}")
        one = subject(
            name, gather, weights, lambda done, name=name: _progress(_bar(done, f"fetching {name}"))
        )
        if record:
            entry_of(Path(record), one)
        subjects.append(one)
    for note in dict.fromkeys(filter(None, (one.material.note() for one in subjects))):
        _progress("")
        typer.echo(note, err=True)

    part = Path(out).with_suffix(".part.csv") if out else None
    outcomes = evaluate(
        subjects,
        part,
        backwards,
        lambda done, total: _progress(_bar(done / total, f"{done} of {total} clips")),
    )
    _progress("")
    measured = [(outcome, measure(outcome)) for outcome in outcomes]
    unread = list(dict.fromkeys(why for outcome in outcomes for why in outcome.problems))
    for problem in unread:
        typer.echo(problem, err=True)
    if out:
        write_rows(Path(out), COLUMNS, [row for pair in measured for row in rows(*pair)])
        part.unlink()
    for pair in measured if record else ():
        put_down(Path(record), *pair)
    typer.echo(_figures(measured))
    if unread:
        typer.echo(f"Not counted, as they could not be read: {len(unread)}.")


@app.command()
@plainly()
def flow(
    clip: Annotated[
        str | None, typer.Argument(help="A video file, in any common format; or --evaluate.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="dis, farneback, tv-l1, raft-people ... two with a comma between.")
    ] = "dis",
    start: Annotated[float, typer.Option(help="Where the span begins, in seconds.")] = 0.0,
    seconds: Annotated[float, typer.Option(help="How long it is, up to 10.")] = 4.0,
    camera: Annotated[
        bool, typer.Option(help="Take the camera's motion off what is written, with --no-camera.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure errors and times of the methods.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(help="Also on pairs of this folder: NAME_img1.ppm, _img2.ppm, _flow.flo."),
    ] = None,
    pairs: Annotated[int, typer.Option(help="How many pairs of people to render.", min=0)] = 24,
    methods: Annotated[
        str, typer.Option(help="With commas between; all that are at hand by default.")
    ] = "",
    out: Annotated[
        str | None,
        typer.Option(
            help="A folder for .flo files, video and table of a clip; with --evaluate the .csv that "
            "gets the figures, in place of older ones."
        ),
    ] = None,
) -> None:
    """Compute the optical flow of a clip, or measure methods where the flow is known."""
    if evaluate and clip:
        raise ChoiceError("--evaluate measures known pairs: leave out the clip.")
    if evaluate:
        _evaluate_flow(data, pairs, methods, out)
    elif clip:
        wanted = [name.strip() for name in method.split(",") if name.strip()]
        _flow_of(clip, wanted, start, seconds, not camera, as_json, out)
    else:
        raise ChoiceError("Give a clip, or say --evaluate to measure the methods.")


def _flow_of(
    clip: str,
    methods: list[str],
    start: float,
    seconds: float,
    without_camera: bool,
    as_json: bool,
    out: str | None,
) -> None:
    _check_clip(clip)
    if out and os.path.lexists(out) and not os.path.isdir(out):
        raise ChoiceError(f"'{_shown(out)}' is a file: give a folder, new or not.")
    from har_demo.clips.ingest import ingest
    from har_demo.flow import save
    from har_demo.flow.look import forget, look, notes, told

    source = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    found = look(
        source, methods, start, seconds, lambda done, what: _progress(f"{done:4.0%}  {what}")
    )
    if out:
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = save.write_fields(found, folder, without_camera)
            save.write_table(found, folder / "motion.csv")
        except OSError as error:
            raise ChoiceError(
                f"'{_shown(out)}' cannot be written: give a folder that is yours."
            ) from error
        save.write_film(
            found,
            folder / "flow.mp4",
            without_camera,
            lambda done: _progress(f"{done:4.0%}  Writing the video"),
        )
    forget(found)
    _progress("")
    if as_json:
        typer.echo(json.dumps(told(found), indent=1))
        return
    header = ("seconds", "method", "mean pixels", "fastest", "difference", "after warping")
    rows = [
        (f"{moment:.2f}", way.method, f"{mean:.2f}", f"{top:.2f}", f"{change:.1f}", f"{left:.1f}")
        for way in found.ways
        for moment, mean, top, change, left in zip(
            found.seconds(), way.means, way.tops, way.changes, way.left, strict=True
        )
    ]
    typer.echo(table([header, *rows]))
    for way in found.ways:
        height, width = found.size
        typer.echo(f"{way.title}: {way.milliseconds:.0f} ms a pair of {width} × {height} pixels")
    if out:
        typer.echo(f"{out}: {len(files)} .flo files, motion.csv, flow.mp4")
    for note in notes(found, without_camera):
        typer.echo(note)


def _evaluate_flow(data: str | None, pairs: int, methods: str, out: str | None) -> None:
    _check_out(out)
    from har_demo.flow import evaluate as measuring
    from har_demo.flow.field import TITLES
    from har_demo.flow.files import known_pairs

    wanted = [name.strip() for name in methods.split(",") if name.strip()]
    for name in wanted:
        if name not in TITLES:
            raise ChoiceError(
                f"No optical flow is called '{_shown(name)}': choose {', '.join(TITLES)}."
            )
    known = {_shown(Path(data).name): known_pairs(data)} if data else {}
    if not wanted:
        wanted, left_out = measuring.ready()
        for sentence in left_out:
            typer.echo(sentence, err=True)
    if pairs:
        _progress("Rendering people")
        known[measuring.PEOPLE] = measuring.people(pairs)
    rows = measuring.measure(
        wanted, known, on_progress=lambda done, what: _progress(_bar(done, what))
    )
    _progress("")
    if out:
        measuring.write(Path(out), rows)
    typer.echo(
        table(
            [("method", "data", "metric", "", "pairs", "machine"), *(row.words() for row in rows)]
        )
    )


@app.command("two-stream")
@plainly()
def two_stream(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    streams: Annotated[str, typer.Option(help="lab, i3d-lab or i3d.")] = "lab",
    weight: Annotated[
        float,
        typer.Option(help="Of the temporal stream: 0 is the spatial one alone, 1 this alone."),
    ] = 0.5,
    flow: Annotated[
        str | None, typer.Option(help="Also with this flow, whatever the stream was trained with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Ask the stream of frames and the stream of optical flow apart, and fuse their scores."""
    if not 0 <= weight <= 1:
        raise ChoiceError(f"The weight of the temporal stream is from 0 to 1, not {weight}.")
    _check_clip(clip)
    from har_demo.clips.ingest import ingest
    from har_demo.recognize.two_streams import ask, told

    source = ingest(clip, on_progress=lambda done: _progress(f"{done:4.0%}  Reading the clip"))
    both = ask(source, streams, flow, lambda done, words: _progress(f"{done:4.0%}  {words}"))
    _progress("")
    said = told(both, weight)
    if as_json:
        typer.echo(json.dumps(said, indent=1))
        return
    parts = ["fused", *said["models"]]
    rows = [(row["class"], *(f"{row[part]:.1%}" for part in parts)) for row in said["top"][:5]]
    header = ("action", *(part.replace("_", " ") for part in parts))
    typer.echo(table([header, *rows]))
    for note in said["notes"]:
        typer.echo(note)


@app.command()
@plainly()
def bench(
    quick: Annotated[bool, typer.Option(help="Shorter clips, for a first look.")] = False,
    out: Annotated[str | None, typer.Option(help="Also write the table to this .csv file.")] = None,
) -> None:
    """Measure time and memory against the plain way of doing the same."""
    _check_out(out)
    from har_demo.benchmarks import bench

    rows = bench.measure(quick, say=_progress)
    _progress("")
    typer.echo(table([bench.COLUMNS, *rows]))
    if out:
        bench.write(rows, out)


@app.command()
@plainly()
def costs(
    model: Annotated[str, typer.Option(help="Only this model, by its name in `models`.")] = "",
    check: Annotated[
        bool, typer.Option(help="Only what must not be; exit code 1 when there is anything.")
    ] = False,
    layers: Annotated[str, typer.Option(help="Layer by layer, of the model of this name.")] = "",
    frames: Annotated[int | None, typer.Option(help="Of the view, with --layers.")] = None,
    side: Annotated[int | None, typer.Option(help="Pixels of the view, with --layers.")] = None,
    out: Annotated[str | None, typer.Option(help="Also write the table to this .csv file.")] = None,
) -> None:
    """Count parameters and multiply-adds again, and set them beside the published figures.

    A verified figure is 'equal' within 0.1 % (parameters) and 0.5 % (GMACs), else 'OFF'; a printed
    or recalled one is 'close' within 2 %, else it 'differs'.
    """
    if layers and (model or check):
        raise ChoiceError("--layers stands alone: leave out --model and --check.")
    if (frames or side) and not layers:
        raise ChoiceError("--frames and --side are for --layers: name a model with it.")
    if check and out:
        raise ChoiceError("--check keeps only what is wrong: leave out --out, or write without it.")
    _check_out(out)
    from har_demo.benchmarks import costs
    from har_demo.models import registry

    if layers:
        _layers(registry.card(layers), frames, side, out)
        return
    wanted = [registry.card(model)] if model else list(registry.cards().values())
    found = []
    for card in wanted:
        _progress(f"Counting {card.title}")
        found += costs.faults(card) if check else costs.rows(card)
    _progress("")
    if out:
        costs.write(found, out)
    if check and not found:
        typer.echo("Every verified figure holds, and every card states what is counted.")
        return
    typer.echo(table([costs.COLUMNS, *(row.words() for row in found)]))
    if check:
        raise typer.Exit(1)


@app.command()
@plainly()
def lecture(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Tell the lecture's story in order, with what was measured here, and list its data sets."""
    import textwrap

    from har_demo.benchmarks import lecture as told

    if as_json:
        typer.echo(json.dumps(told.as_json(), indent=1))
        return
    for number, one in enumerate(told.CHAPTERS, start=1):
        typer.echo(f"{number}. {one.title}")
        for words in (one.asks, one.tells, one.leaves):
            typer.echo(textwrap.fill(words, 100, initial_indent="   ", subsequent_indent="   "))
        for system in one.systems:
            entry = told.measured_of(system)
            typer.echo(f"   - {system.card.title}, {system.card.year} ({system.card.name})")
            for limit in told.limits(entry) if entry else ():
                typer.echo(f"       {limit.words}")
        typer.echo("")
    rows = [
        (one.name, str(one.year), str(one.classes), f"{one.clips:,}", one.scale, one.status)
        for one in told.data_sets()
    ]
    typer.echo(table([("data set", "year", "classes", "clips", "scale", "status"), *rows]))


@app.command()
@plainly()
def measured(
    data: Annotated[str, typer.Option(help="arid6, weizmann, workout4 or rendered.")] = "arid6",
    confusions: Annotated[
        str, typer.Option(help="What the model of this name mistakes for what.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Every figure on every set as JSON, and nothing else.")
    ] = False,
) -> None:
    """Print what the lab-size models scored here, from results/measured."""
    from har_demo.benchmarks import measured as scores

    scores.check_dataset(data)
    if confusions:
        found = scores.confusion(scores.entry(confusions), data)
        mistakes = found.mistakes() if found else []
        rows = [(true, said, f"{count} of {of}") for true, said, count, of in mistakes]
        typer.echo(table([("shown", "answered", "clips"), *rows]))
        return
    if as_json:
        typer.echo(json.dumps(scores.as_json(scores.entries()), indent=1))
        return
    rows = [
        (
            one.model,
            one.input,
            str(len(one.seeds)),
            *(
                one.figures[data, metric].words() if (data, metric) in one.figures else ""
                for metric in scores.METRICS
            ),
        )
        for one in scores.entries()
    ]
    typer.echo(table([("model", "input", "seeds", *scores.METRICS), *rows]))


@app.command()
@plainly()
def convolution(
    inputs: Annotated[int, typer.Option(help="Channels that come in.")] = 64,
    outputs: Annotated[int, typer.Option(help="Channels that go out.")] = 64,
    kernel: Annotated[int, typer.Option(help="Its side k: 1, 3, 5 or 7.")] = 3,
    groups: Annotated[int, typer.Option(help="Of the ordinary one.")] = 1,
    frames: Annotated[int, typer.Option(help="T of what goes out.")] = 8,
    side: Annotated[int, typer.Option(help="H and W of what goes out.")] = 28,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Count an ordinary, a (2+1)D and two separated convolutions by the lecture's formulas."""
    from dataclasses import asdict

    from har_demo.benchmarks.convolutions import convolutions

    found = convolutions(inputs, outputs, kernel, groups, frames, side)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    rows = [
        (one.name, f"{one.parameters:,}", f"{one.macs:,}", f"{one.interactions:,}", one.idea)
        if one.parts
        else (one.name, "", "", "", one.idea)
        for one in found
    ]
    typer.echo(table([("way", "parameters", "multiply-adds", "interactions", "idea"), *rows]))


@people.command()
@plainly()
def render(
    action: Annotated[str, typer.Option(help="What the person does; `sheet` shows them all.")],
    out: Annotated[str, typer.Option(help="The .mp4 file to write.")],
    seed: Annotated[int, typer.Option(help="Decides person, place, camera and motion.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long, up to 60.")] = 2.0,
    fps: Annotated[float, typer.Option(help="Frames per second, up to 60.")] = 25,
    size: Annotated[str, typer.Option(help="Width x height in pixels, even.")] = "224x224",
    dark: Annotated[bool, typer.Option(help="The same scene with next to no light.")] = False,
    wild: Annotated[
        bool, typer.Option(help="As for training: any view, a shaking hand, things in the way.")
    ] = False,
    treadmill: Annotated[
        bool, typer.Option(help="The camera goes along, so the person stays in the middle.")
    ] = False,
    things: Annotated[
        bool, typer.Option(help="Leave out the stool, the ball ... with --no-things.")
    ] = True,
    truth: Annotated[
        str | None,
        typer.Option(help="Also write flow, visibility, depth, person and joints to this .npz."),
    ] = None,
) -> None:
    """Render a clip of one person doing something, with no camera and no data."""
    shape = _size(size)
    if not 0 < seconds <= 60 or not 1 <= fps <= 60 or seed < 0:
        raise ChoiceError(
            "Give up to 60 --seconds, 1 to 60 --fps and a --seed that is not negative."
        )
    for file in (out, truth):
        _check_out(file)

    from har_demo.clips.writer import write_video
    from har_demo.people import shoot

    look = shoot.Look(
        dark=dark, calm=not wild, treadmill=treadmill, things=things, aspect=shape[0] / shape[1]
    )
    one = shoot.take(action, seed, seconds, fps, look)

    def shown():
        for number, frame in enumerate(shoot.pictures(one, shape)):
            _progress(f"{number / len(one):4.0%}  Rendering")
            yield frame

    write_video(out, shown(), fps)
    if truth:
        _progress("Writing what is known of every pixel")
        shoot.write_truth(one, shape, truth)
    _progress("")
    typer.echo(f"{out}: {len(one)} frames of {shape[0]} × {shape[1]}, {action}, seed {seed}")


@people.command()
@plainly()
def sheet(
    out: Annotated[str, typer.Option(help="The .png file to write.")],
    seed: Annotated[int, typer.Option(help="Of the first row; the others follow.", min=0)] = 0,
    dark: Annotated[bool, typer.Option(help="The same scenes with next to no light.")] = False,
    wild: Annotated[bool, typer.Option(help="As for training, not for people to look at.")] = False,
) -> None:
    """Draw a contact sheet: every action a row of frames with its name."""
    _check_out(out)
    import cv2

    from har_demo.people.sheet import sheet

    picture = sheet(seed=seed, dark=dark, calm=not wild)
    Path(out).write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
    typer.echo(f"{out}: {picture.shape[1]} × {picture.shape[0]} pixels")


@people.command()
@plainly()
def dataset(
    out: Annotated[str, typer.Option(help="The folder to write.")],
    clips: Annotated[int, typer.Option(help="How many clips.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, another data set.", min=0)] = 0,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda: much faster, but rounding may differ.")
    ] = "cpu",
) -> None:
    """Write a labelled data set of small clips, split so that nobody is in two splits."""
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ChoiceError(f"'{_shown(out)}' exists already: give a new or an empty folder.")
    import torch

    from har_demo.people import dataset

    if device != "cpu" and not (device == "cuda" and torch.cuda.is_available()):
        raise ChoiceError(f"There is no device '{_shown(device)}' here: use cpu.")
    entries = dataset.write(
        folder,
        clips,
        seed,
        device=device,
        on_progress=lambda done: _progress(f"{done:4.0%}  Rendering"),
    )
    _progress("")
    typer.echo(f"{out}: {len(entries)} clips in {len({e.file for e in entries})} files, index.csv")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of words as columns, two blanks between."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _answers_text(clip: "Clip", answers: "Sequence[Prediction | Refusal]") -> str:
    """The five likeliest actions of every model, for people."""
    from har_demo.recognize.prediction import Refusal

    source = clip.source
    parts = [f"{source.name}: {clip.duration:.1f} s, {source.width} × {source.height}"]
    for answer in answers:
        if isinstance(answer, Refusal):
            parts.append(f"{answer.title}\n  {answer.message}")
            continue
        windows, frames = answer.frames.shape
        took = answer.times.transform + answer.times.forward
        lines = [
            f"{answer.title}  ({windows} window{'s' * (windows > 1)} of {frames} frames, "
            f"{took:.0f} ms on {answer.device}, {answer.provenance.source} weights)"
        ]
        top = answer.top(5)
        width = max(len(name) for name, _ in top)
        for name, probability in top:
            bar = "█" * round(probability * BAR)
            lines.append(f"  {probability:6.1%}  {name.ljust(width)}  {bar}".rstrip())
        if answer.note:
            lines.append(f"  {answer.note}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _prompts_text(clip: "Clip", answer: "Answer") -> str:
    """The likeliest prompts with their similarities, for people."""
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
    return "\n".join([*lines, *answer.notes])


def _check_shipped() -> None:
    from har_demo.weights.health import every_health

    found = every_health()
    rows = [
        (one.model, check.question, "ok" if check.ok else "WRONG", check.sentence)
        for one in found
        for check in one.checks
    ]
    typer.echo(table([("model", "question", "", "what was found"), *rows]))
    wrong = sum(not one.ok for one in found)
    typer.echo(f"\n{len(found) - wrong} of {len(found)} shipped checkpoints are in order.")
    if wrong:
        raise typer.Exit(1)


def _evaluated(model: str) -> list[str]:
    """The models that --model names, each once."""
    from har_demo.weights import shipped

    if model == "shipped":
        return [entry["model"] for entry in shipped.entries()]
    names = list(dict.fromkeys(name.strip() for name in model.split(",") if name.strip()))
    if not names:
        raise ChoiceError("No model is chosen: name one with --model.")
    return names


def _check_material(
    data: str, clips: int | None, split: str | None, listed: str | None
) -> Path | None:
    """The folder of the clips, None for rendered people; options that do not go with it are refused."""
    folder = Path(data)
    rendered, prepared = data == "people", (folder / "examples.json").is_file()
    if clips and not rendered:
        raise ChoiceError("--clips says how many people to render: leave it out for a folder.")
    if split and not prepared:
        raise ChoiceError("--split is for a folder that har_demo.training.data has prepared.")
    if split not in (None, "a", "b"):
        raise ChoiceError(f"There is no split '{_shown(split)}': give a or b.")
    if listed and (rendered or prepared):
        raise ChoiceError("--list is for a folder of class folders: leave it out.")
    if rendered:
        return None
    if not folder.is_dir():
        raise ChoiceError(
            f"There is no folder '{_shown(data)}': give one with a folder for each class, or people."
        )
    return folder


def _figures(measured: "Sequence[tuple[Outcome, list[Measured]]]") -> str:
    """A row for each model and data set; what was not measured is left empty."""
    columns = ("top1", "top5", "class_mean", "top1_among", "ece", "order", "reversed_top1")
    header = ("model", "data", "clips", *columns)
    lines = []
    for outcome, parts in measured:
        for part in parts:
            values = [f"{part.figures[c][0]:.1f} %" if c in part.figures else "" for c in columns]
            lines.append((outcome.subject.card.name, part.dataset, str(len(part.right)), *values))
    return table([header, *lines])


def _names(text: str) -> list[str]:
    """'a, b' as ['a', 'b']."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str, option: str) -> list[float]:
    """'4, 8' as [4, 8]."""
    try:
        return [float(number) for number in _names(text)]
    except ValueError:
        raise ChoiceError(
            f"{option} takes numbers with commas between, not '{_shown(text)}'."
        ) from None


def _edits_text() -> str:
    """Every edit, what can be set of it and what it does."""
    from har_demo.explain.edits import EDITS

    rows = [("edit", "strength", "usual", "what it does")]
    for one in EDITS.values():
        of = one.strength
        rows.append(
            (
                one.name,
                f"{of.low:g} to {of.high:g}, {of.words}" if of else "",
                f"{of.usual:g}" if of else "",
                one.does,
            )
        )
    return table(rows)


def _grid_text(grid: "Grid") -> str:
    """A row for every edit, a column for every model, and what the scores say."""
    from har_demo.explain.sensitivity import Cell, verdict
    from har_demo.recognize.prediction import Prediction

    def told(cell: object) -> str:
        if not isinstance(cell, Cell):
            return "no answer"
        return f"{cell.answer} {cell.probability:.0%} ({cell.distance:.2f})"

    def mean(value: float | None) -> str:
        return "" if value is None else f"{value:.2f}"

    rows = [("edit", *(row.title for row in grid.rows))]
    plain = [
        row.plain.top(1)[0] if isinstance(row.plain, Prediction) else None for row in grid.rows
    ]
    rows.append(("the clip", *(f"{p[0]} {p[1]:.0%}" if p else "no answer" for p in plain)))
    for column, one in enumerate(grid.asked):
        rows.append((one.title, *(told(row.cells[column]) for row in grid.rows)))
    rows.append(("temporal sensitivity", *(mean(row.temporal) for row in grid.rows)))
    rows.append(("picture sensitivity", *(mean(row.picture) for row in grid.rows)))
    refused = [
        answer.message
        for row in grid.rows
        for answer in (row.plain, *row.cells)
        if not isinstance(answer, Cell | Prediction)
    ]
    meaning = (
        "In brackets: how much of the probability went elsewhere, 0 to 1 (total variation); the "
        "sensitivities are its means over the edits of time and of the picture."
    )
    return "\n".join([table(rows), "", meaning, *verdict(grid), *dict.fromkeys(refused)])


def _samplings_text(found: "Sequence[Sampled]") -> str:
    """A row for every pass, and what the answers say."""
    from har_demo.explain.samplings import verdict
    from har_demo.recognize.prediction import Prediction

    rows = [("model", "sampling", "frames", "answer", "", "GMACs", "forward")]
    for one in found:
        known = isinstance(one.answer, Prediction)
        name, share = one.answer.top(1)[0] if known else (one.answer.message, None)
        rows.append(
            (
                *(one.model, one.way.title, str(one.way.frames), name),
                "" if share is None else f"{share:.0%}",
                "" if one.gmacs is None else f"{one.gmacs:.2f}",
                f"{one.forward:.0f} ms" if known else "",
            )
        )
    return "\n".join([table(rows), *verdict(found)])


def _bar(done: float, words: str) -> str:
    """A bar as long as the share that is done, and words."""
    full = round(done * BAR)
    return f"{'█' * full}{'░' * (BAR - full)} {done:4.0%}  {words}"


def _layers(card: "ModelCard", frames: int | None, side: int | None, out: str | None) -> None:
    """The layers of a network; for C3D also the table that the lecture prints of them."""
    from har_demo.benchmarks import errata, layers
    from har_demo.benchmarks.explore import explore

    rows = layers.table(explore(card.name, frames, side).layers)
    if out:
        layers.write(rows, out)
    typer.echo(table(rows))
    if card.name == "c3d" and frames is None and side is None:
        typer.echo("\nThe same in the lecture, for the 487 classes that its FC8 fits:\n")
        typer.echo(table(layers.beside_the_lecture(card)))
        typer.echo("\n" + layers.remarks(errata.load(), range(1, 8)))


def _place(words: str) -> tuple[float, float, int]:
    """'40,60,3' becomes (40.0, 60.0, 3)."""
    try:
        x, y, frame = words.split(",")
        return float(x), float(y), int(frame)
    except ValueError:
        raise ChoiceError(f"A place is x,y,frame, like 40,60,3, not '{_shown(words)}'.") from None


def _own_files(given: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """['r3d_18=my.pth'] becomes {'r3d_18': 'my.pth'}."""
    files = {}
    for one in given:
        name, equals, file = one.partition("=")
        if not (name and equals and file):
            raise ChoiceError(f"Weights are given as model=FILE, not as '{_shown(one)}'.")
        if name not in names:
            raise ChoiceError(
                f"Weights are given for {_shown(name)}, which --models does not name."
            )
        files[name] = file
    return files


def _check_clip(path: str) -> None:
    if os.path.isdir(path):
        raise ClipError(f"'{_shown(path)}' is a folder: give one video file.")
    if not os.path.isfile(path):
        raise ClipError(f"There is no file '{_shown(path)}': check its name and folder.")


def _check_out(path: str | None) -> None:
    """Say before the work that its result cannot be kept."""
    if path is None:
        return
    new = not os.path.lexists(path)
    try:
        open(path, "ab").close()  # nothing short of it tells for every name, folder and disk
    except OSError as error:
        raise ChoiceError(
            f"'{_shown(path)}' cannot be written: give a file in a folder that exists and is yours."
        ) from error
    if new:
        os.unlink(path)


def _size(words: str) -> tuple[int, int]:
    """'320x240' becomes (320, 240)."""
    width, by, height = words.partition("x")
    if not (by and width.isdecimal() and height.isdecimal()):
        raise ChoiceError(f"A size is width x height, like 320x240, not '{_shown(words)}'.")
    size = int(width), int(height)
    if not all(16 <= side <= 1280 and side % 2 == 0 for side in size):
        raise ChoiceError("Width and height are even numbers from 16 to 1280.")
    return size


def _shown(text: str) -> str:
    """Words of a stranger, fit for a terminal: what cannot be printed is left out."""
    return "".join(c for c in text if c.isprintable())[:200]


def _progress(words: str) -> None:
    """Keep one line of the terminal up to date; where nobody watches, say nothing."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()
