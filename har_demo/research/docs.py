"""Write docs/systems.md and docs/measured.md from the tables: every figure is looked up, none is typed.

python -m har_demo.research docs
"""

import csv
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from har_demo import assets
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.card import ModelCard, ModelInput
from har_demo.prompts.nearness import AT_CHANCE
from har_demo.recognize.open_set import SURE, UNSURE
from har_demo.research.benchmarks.default_models import ROUNDS, SECONDS, SIZE
from har_demo.tables.ablations import ABLATIONS, SPLIT
from har_demo.tables.datasets import TEST_SETS, TITLES
from har_demo.tables.measured import AVERAGE, SVM, entries, times
from har_demo.tables.rows import kept_rows
from har_demo.tables.statistics import confidence_interval
from har_demo.weights import shipped

FOLDER = assets.ROOT / "docs"

GENERATED = "<!-- Written by `python -m har_demo.research docs`: change the tables or har_demo/research/docs.py instead. -->"

INPUTS = {
    "rgb": "frames",
    "difference": "frame differences",
    "flow": "flow",
    "rgb+flow": "frames and flow",
}

METHODS_OF_FLOW = {
    "still": "no motion (zero flow)",
    "farneback": "Farneback",
    "dis": "DIS",
    "tv-l1": "TV-L1",
    "raft-people": "RAFT-small, trained here",
    "flownet-lab": "FlowNetS (tiny), trained here",
}


BEGIN = (
    "<!-- Written by `python -m har_demo.research docs` from results/measured/visitors.csv. -->\n"
)
END = "<!-- End of the table. -->\n"
"""Around the table of visitors in docs/hosting.md."""


def write(folder: Path = FOLDER) -> list[Path]:
    """Write both documents, and the table of visitors into docs/hosting.md; return their files."""
    folder.mkdir(exist_ok=True)
    files = []
    for name, text in (("systems.md", systems()), ("measured.md", measured())):
        files.append(folder / name)
        files[-1].write_text(text, encoding="utf-8")
    files.append(folder / "hosting.md")
    files[-1].write_text(hosting((FOLDER / "hosting.md").read_text(encoding="utf-8")), "utf-8")
    return files


def hosting(text: str) -> str:
    """Return docs/hosting.md with the table of visitors as it was measured."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + visitors() + END + rest.split(END)[1]


def visitors() -> str:
    """Return what many visitors met, from results/measured/visitors.csv."""
    with (assets.RESULTS / "measured" / "visitors.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    parts = []
    for number in dict.fromkeys(row["visitors"] for row in rows):
        of = [row for row in rows if row["visitors"] == number]
        first = of[0]
        refused, failed = (
            sum(int(row[key]) for row in of) for key in ("refused_by_quota", "failed")
        )
        parts.append(
            f"{number} visitors for {float(first['minutes']):g} minutes ({first['machine']}; {first['date']}; "
            f"`python -m har_demo.research visitors {number}`): {refused} questions refused by the quota's "
            f"sentence, {failed} failed; the server held {first['memory_early_mb']} MB in the second fifth of "
            f"the time and {first['memory_late_mb']} MB in the last."
        )
        parts.append(
            _table(
                ("question", "asked", "median, s", "95 % within, s", "longest, s"),
                [
                    (
                        KINDS[row["kind"]],
                        row["asked"],
                        row["median_s"],
                        row["p95_s"],
                        row["longest_s"],
                    )
                    for row in of
                ],
            )
        )
    return "\n\n".join(parts) + "\n"


KINDS = {
    "models": "list of models",
    "published": "published figures",
    "recognize": "a tiny model",
    "ask": "four sentences",
    "flow": "DIS on two seconds",
    "short": "a tiny model, asked again and again by one",
    "short beside": "the same while a film of ten minutes is read",
    "film": "a tiny model about that film",
}
"""Kinds of questions of har_demo.research.benchmarks.visitors, in words."""


def systems() -> str:
    """Return docs/systems.md: every system by family, with its file, input, size, cost and accuracy."""
    file_of = {card.name: file for file in registry.files() for card in file.CARDS}
    families: dict[str, list[ModelCard]] = {}
    for card in registry.cards().values():
        families.setdefault(card.family, []).append(card)
    every = registry.cards().values()
    tiny = sum(card.size == "tiny" for card in every)
    parts = [
        "# The systems",
        GENERATED,
        "Each file of `har_demo/models/` holds one system, written after its paper to be read in one sitting, in the "
        "paper's configuration and in a tiny one of at most five million parameters, from the same code: "
        f"{len(every) - tiny} paper models and {tiny} tiny ones, in {len(registry.files())} files. "
        "GMACs are multiply-adds of one view in 10⁹ (`har-demo costs`). Accuracy is top-1: of tiny models "
        f"on {TITLES['arid6']} and on {TITLES['rendered'].lower()} as recognition found it with the shipped file "
        "([measured.md](measured.md) says how), of paper models as published for their weights or, where there are "
        "none, by the paper. A model that no public code or text pins down says so on its card, with what was guessed.",
    ]
    for family, cards in families.items():
        rows = [
            (
                card.title,
                f"`{card.name}`",
                _link(card.paper_url, str(card.year)),
                f"`{file_of[card.name].__name__.rpartition('.')[2]}`",
                _view(card.input),
                f"{card.parameters / 1e6:.2f} M" if card.parameters else "—",
                f"{card.gmacs:,.2f}" if card.gmacs is not None else "—",
                _weights(card),
                _accuracy(card),
            )
            for card in cards
        ]
        header = (
            "system",
            "id",
            "year",
            "file",
            "one view",
            "parameters",
            "GMACs",
            "weights",
            "top-1",
        )
        parts += [f"## {family}", _table(header, rows)]
    return _document(parts)


def measured() -> str:
    """Return docs/measured.md: all that was measured, with the command that measures it again."""
    parts = [
        "# What was measured",
        GENERATED,
        "Commands run from the root of the repository. How each table of `results/` is made is in "
        "[results/README.md](../results/README.md); the page *Measured* draws most of this.",
        *_accuracy_of_tiny_models(),
        *_by_recognition(),
        *_two_streams(),
        *_times(),
        *_ablations(),
        *_prompts(),
        *_free_text(),
        *_views_of_i3d(),
        *_open_set(),
        *_calibration(),
        *_precision(),
        *_few_shot(),
        *_bench(),
        *_costs(),
        *_flow(),
    ]
    return _document(parts)


def _accuracy_of_tiny_models() -> list[str]:
    first = {row.key: row for row in entries() if row.key == row.model and "." not in row.model}
    clips = {name: next(iter(first.values())).figures[name, "top1"].clips for name in TITLES}
    top1 = _top1()
    rows = []
    for row in first.values():
        own = {name: top1[row.model, row.input, name] for name in TITLES}
        other = own["arid6"].get(1)
        rows.append(
            (
                row.title,
                f"{row.parameters / 1e6:.2f} M",
                "—" if row.gmacs is None else f"{row.gmacs:.1f}",
                _with_interval(own["arid6"][0], clips["arid6"]),
                "—" if other is None else f"{other:.1f} %",
                *(_with_interval(own[name][0], clips[name]) for name in list(TITLES)[1:]),
            )
        )
    rows.sort(key=lambda cells: (-float(cells[3].split()[0]), -float(cells[7].split()[0])))
    apart = [
        abs(s[0] - s[1])
        for (_, _, name), s in top1.items()
        if name == "arid6" and {0, 1} <= s.keys()
    ]
    header = ["model", "parameters", "GMACs"]
    header += [f"{TEST_SETS[name].title} ({clips[name]})" for name in TITLES]
    header.insert(4, f"{TITLES['arid6']}, another seed")
    return [
        "## Accuracy of the tiny models",
        _commands(
            "python -m har_demo.research train --data PREPARED --work WORK",
            "python -m har_demo.research tabulate WORK/done --results results/measured",
            "har-demo measured --data arid6",
        ),
        f"Top-1 among {len(EVERYDAY)} actions on people, places and videos that training never saw "
        f"(`results/measured/tiny.csv`); guessing gives {100 / len(EVERYDAY):.1f} %. The shipped files are of "
        "seed 0. In brackets stands the 95 % interval (Wilson's), as if the clips were independent; clips of one place "
        "or person are not, so the true one is wider. The clips are few: one of ARID's is "
        f"{100 / clips['arid6']:.1f} points, one of Weizmann's {100 / clips['weizmann']:.0f}, and of {len(apart)} "
        "networks that were trained twice the two seeds are "
        f"{statistics.mean(apart):.1f} points apart on ARID on average, {max(apart):.1f} at most.",
        _list((one.title, one.description) for one in TEST_SETS.values()),
        _table(header, rows),
    ]


def _by_recognition() -> list[str]:
    top1 = _top1()
    apart: dict[str, list[float]] = {name: [] for name in TITLES if name != "rendered"}
    dark = {}
    for entry in shipped.entries(assets.CHECKPOINTS):
        card = registry.card(entry["model"])
        for item in entry["accuracy"]:
            for name in apart:
                if item["dataset"] == TITLES[name]:
                    trained = top1[card.name, card.input.modality, name][0]
                    apart[name].append(round(abs(item["top1"] - trained), 1))
            if item["dataset"] == TITLES["arid6"]:
                dark[card.title.removesuffix(" (tiny)")] = item["top1"]
    best = max(dark, key=dark.get)
    distances = [f"{max(values):.1f} points on {TITLES[name]}" for name, values in apart.items()]
    return [
        "## The shipped files, asked as the page asks them",
        _commands(
            "python -m har_demo.research sealed-test --model shipped --data PREPARED --answers ANSWERS.parquet --record checkpoints"
        ),
        "Training scores clips in memory. Recognition reads files, and gives other figures for the same weights, by at "
        f"most {', '.join(distances[:-1])} and {distances[-1]}. The best on ARID is {best} with {dark[best]:.1f} %, the lowest has "
        f"{min(dark.values()):.1f} %. These figures are in `checkpoints/manifest.json`. "
        "They once decided what is shipped: nothing below 35 % on ARID, a rule that is withdrawn. The form of Video Swin, the brightening of dense trajectories and the distance in "
        "time of a single frame difference were chosen with these clips in view, so expect a little less elsewhere.",
        "`evaluate --data DIR` takes a folder with a folder of clips for each class, or UCF101 as it comes (`--list "
        "testlist01.txt` for its test split). It finds the model's classes by their names and says which folders it left "
        "out. `evaluate --data people` needs no files: it renders test clips. Stopped and called again with the same "
        "`--out`, it goes on where it was.",
    ]


def _two_streams() -> list[str]:
    top1 = _top1()
    runs = (
        ("spatial stream, on frames", "spatial_stream_lab", "rgb"),
        ("temporal stream, on flow", "temporal_stream_lab", "flow"),
        ("fused by the mean", AVERAGE, "rgb+flow"),
        ("fused by a linear SVM", SVM, "rgb+flow"),
    )
    rows = []
    for title, model, modality in runs:
        seeds = top1[model, modality, "arid6"]
        rows.append((title, *(f"{seeds[seed]:.1f} %" for seed in sorted(seeds))))
    return [
        "## Two streams, fused",
        _commands("python -m har_demo.research fuse --work WORK"),
        "Two networks that were trained apart complete each other; top-1 on ARID, for each seed.",
        _table(("", *(f"seed {seed}" for seed in sorted(seeds))), rows),
    ]


def _times() -> list[str]:
    recorded = times()
    titles = {row.model: row.title for row in entries() if row.key == row.model}
    first = next(iter(recorded.values()))
    models = sorted((model for model in first if model in titles), key=first.get)
    rows = [
        (titles[m], *(f"{ms[m]:.1f} ms" if m in ms else "" for ms in recorded.values()))
        for m in models
    ]
    return [
        "## Time of one view",
        _commands("python -m har_demo.research timing results/measured/tiny_times.csv"),
        "Two seconds of film through the network alone: the median of many views, and of three such medians the least. "
        "Reading and resizing frames is not in it.",
        _table(("model", *recorded), rows),
    ]


def _ablations() -> list[str]:
    table = kept_rows(assets.MEASURED / "ablations.csv")
    seeds = sorted({row["seeds"] for row in table})
    networks = {(row["model"], row["input"]) for row in table}
    parts = [
        "## Ablations",
        _commands("python -m har_demo.research train --data PREPARED --ablations QUESTION"),
        f"{len(ABLATIONS)} questions that change one thing, {len(table)} rows of {len(networks)} different networks and "
        f"inputs, {' or '.join(seeds)} seeds each; top-1 in percent on split {SPLIT}, with the standard deviation between seeds. 'Order' is accuracy on pairs of actions "
        "that differ in the order of time alone, where guessing gives 50. What these figures say, in words, is in "
        "[ablations.md](../results/measured/ablations.md).",
    ]
    columns = ("rendered", "arid6", "weizmann", "workout4", "rendered_order")
    header = ("", "parameters", "GMACs", *(TITLES[c] for c in columns[:-1]), "order")
    for ablation in ABLATIONS:
        rows = [
            (
                row["label"],
                f"{int(row['parameters']) / 1e6:.2f} M",
                f"{float(row['gmacs']):.2f}",
                *(_with_spread(row[c], row[f"{c}_spread"]) for c in columns),
            )
            for row in table
            if row["question"] == ablation.name
        ]
        parts += [f"**{ablation.name.replace('_', ' ').capitalize()}.** {ablation.question}"]
        parts += [_table(header, rows)]
    return parts


def _prompts() -> list[str]:
    notes = [
        json.loads((assets.CHECKPOINTS / "prompts" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("embedded", "learned")
    ]
    plain, learned = notes
    rows = [
        (
            f"{one['clips_of']} ({one['clips']}"
            + (f"; {other['clips']} for the last" if other["clips"] != one["clips"] else "")
            + ")",
            f"{one['top1_before']:.1f} %",
            f"{one['top1']:.1f} %",
            f"{other['top1']:.1f} %",
        )
        for one, other in zip(plain["accuracy"], learned["accuracy"], strict=True)
    ]
    rendered = {note["learned_from"]["clips"] - note["learned_from"]["real"] for note in notes}
    (number,) = rendered
    return [
        "## Prompts, by the embedded encoders",
        _commands(
            "python -m har_demo.research prompts-features KIND SOURCE OUT",
            "python -m har_demo.research prompts-train FEATURES --out checkpoints",
            "python -m har_demo.research prompts-learn FEATURES --out checkpoints",
        ),
        f"Top-1 among all {len(EVERYDAY)} actions, each named by one caption in a wording that was never learned from; "
        f"guessing gives {100 / len(EVERYDAY):.1f} %. Learned from {number:,} rendered clips with captions and "
        f"{plain['learned_from']['real']} real ones of other people and places ({learned['learned_from']['real']} of them "
        "for the learned prompts, which need clips of two seconds). One seed (`checkpoints/prompts/*.json`).",
        _table(
            ("clips", "nothing learned from clips", "as shipped", "pooling 'learned transformer'"),
            rows,
        ),
        "Rendered clips of any view that were learned from come from an earlier state of the renderer than those tested. "
        f"The learned transformer is {AT_CHANCE}; the mean is the better pooling there. The weight of motion was chosen "
        "with nine real clips of other sports and household actions in view.",
    ]


def _free_text() -> list[str]:
    table = kept_rows(assets.MEASURED / "free_text.csv")
    first = table[0]
    rows = [
        (
            row["way"],
            f"{row['top1']} %",
            f"{row['top3']} %",
            f"{row['top1_of_clips']} % ({row['low']} to {row['high']})",
        )
        for row in table
    ]
    return [
        "## Free text with Kinetics' actions",
        _commands(
            "python -m har_demo.research kinetics-features DATA FEATURES",
            "python -m har_demo.research kinetics-text FEATURES",
        ),
        "Where I3D's weights are here, the embedded recogniser also compares a prompt with the 400 actions that I3D "
        f"recognises (`har_demo/prompts/kinetics.py`). {first['clips']} real clips of {first['actions']} actions, each asked "
        f"among {first['prompts']} prompts: the {first['actions']} actions in three wordings, beside different choices of "
        "actions that no clip shows. Top-1 and top-3 are means over actions; the last column is top-1 over clips, with the "
        "95 % interval of that many clips (`results/measured/free_text.csv`).",
        _table(("", "top-1", "top-3", "top-1 over clips"), rows),
        "These are validation clips: the settings of the last three rows were chosen on them, so the figures are "
        "optimistic, and differences within the intervals may be chance. 'ConSE' compares a sentence with the mean name of "
        "the likeliest actions; 'actions meant' adds up the probabilities of the actions that the sentence means.",
    ]


def _views_of_i3d() -> list[str]:
    table = kept_rows(assets.MEASURED / "i3d_views.csv")
    usual = registry.card("i3d").views
    assert usual is not None
    chosen = (usual.frames, usual.fps, usual.windows)
    rows, of = [], {}
    for row in table:
        view = int(row["frames"]), float(row["fps"]), int(row["windows"])
        of[view] = row
        rows.append(
            (
                row["frames"],
                f"{float(row['fps']):g}",
                row["windows"] + (" (default)" if view == chosen else ""),
                f"{row['top1']} % ({row['low']} to {row['high']})",
                f"{row['top5']} %",
                f"{view[0] * view[2]}",
                ""
                if view == chosen
                else f"{row['this_only']} and {row['default_only']}: {row['p']}",
            )
        )
    default = of[chosen]
    longest = max(table, key=lambda row: int(row["frames"]) * int(row["windows"]))
    return [
        "## What I3D looks at",
        _commands("python -m har_demo.research kinetics-text FEATURES"),
        f"Whether I3D names the action of {table[0]['clips']} real validation clips that Kinetics names, by frames a window, "
        "frames a second and windows, with the 95 % interval (`results/measured/i3d_views.csv`). Its cost grows with the "
        "frames in all.",
        _table(
            (
                *("frames a window", "a second", "windows", "top-1", "top-5", "frames in all"),
                "right here alone, and with the default alone: p",
            ),
            rows,
        ),
        f"The default is {usual.windows} window of {usual.frames} frames at {usual.fps:g} a second, the fewest frames in all: "
        f"an answer comes soonest, and these clips do not tell it apart from {longest['windows']} windows of "
        f"{longest['frames']} frames ({default['top1']} % and {longest['top1']} %; the last column has the exact McNemar "
        f"test's p, not corrected for the number of rows). The default was chosen on these clips; a clip of twenty seconds "
        "and more gets a window for every ten, ten at most.",
        f"How long the models that Recognise ticks take for a clip of {SECONDS} s of {SIZE[0]} × {SIZE[1]} that was read before, "
        f"{ROUNDS} rounds in turn, two processor cores (`python -m har_demo.research default-models`, "
        "`results/measured/default_models.csv`; wanted: I3D at most twice as long):",
        _table(
            ("model", "windows × frames", "median", "shortest to longest", "beside the first"),
            [
                (
                    f"`{row['model']}`",
                    f"{row['windows']} × {row['frames']}",
                    f"{row['median_s']} s",
                    f"{row['shortest_s']} to {row['longest_s']} s",
                    f"{row['ratio']} ×",
                )
                for row in kept_rows(assets.MEASURED / "default_models.csv")
            ],
        ),
    ]


def _open_set() -> list[str]:
    table = kept_rows(assets.MEASURED / "open_set.csv")
    cells = {(r["dataset"], float(r["threshold"]), r["shows_everyday_action"]): r for r in table}
    thresholds = sorted({at for _, at, _ in cells})
    datasets = list(dict.fromkeys(row["dataset"] for row in table))

    def cell(dataset: str, at: float, shows: str) -> str:
        row = cells.get((dataset, at, shows))
        return f"{row['contradicted']} % ({row['low']} to {row['high']})" if row else "—"

    def clips(dataset: str, shows: str) -> str:
        row = cells.get((dataset, SURE, shows))
        return row["clips"] if row else "0"

    false, right = (cells["all", SURE, shows]["contradicted"] for shows in ("yes", "no"))
    return [
        "## When a clip shows none of the actions",
        _commands("python -m har_demo.research kinetics-text FEATURES"),
        f"Every model of the {len(EVERYDAY)} everyday actions names one of them, also when a clip shows none. It is "
        "contradicted where I3D is sure of an action that is no everyday action nor near to one "
        "(`har_demo/recognize/open_set.py`). How often, by the probability from which I3D counts as sure, with the 95 % "
        "interval (`results/measured/open_set.csv`): on clips that show an everyday action this is a false alarm.",
        _table(
            (
                "I3D is sure from",
                f"clips that show one ({clips('all', 'yes')}): false alarms",
                f"clips that show none ({clips('all', 'no')}): detected",
            ),
            [(f"{at:g}", cell("all", at, "yes"), cell("all", at, "no")) for at in thresholds],
        ),
        f"{SURE:g} is used: {false} % false alarms, {right} % detected. By data set at {SURE:g}:",
        _table(
            ("data set", "clips that show one", "false alarms", "clips that show none", "detected"),
            [
                (
                    "all" if name == "all" else f"`{name}`",
                    clips(name, "yes"),
                    cell(name, SURE, "yes"),
                    clips(name, "no"),
                    cell(name, SURE, "no"),
                )
                for name in datasets
            ],
        ),
        "The threshold was chosen on these validation clips. What is neither an everyday action nor one of Kinetics-400, "
        "such as two people pointing at each other, goes unnoticed.",
    ]


def _calibration() -> list[str]:
    table = kept_rows(assets.MEASURED / "calibration.csv")
    columns = ("confidence_before", "confidence_after", "sure_outside_before", "sure_outside_after")

    clips = int(table[0]["clips"])
    low, high = confidence_interval(clips // 2, clips)

    def mean(column: str) -> str:
        return f"{sum(float(row[column]) for row in table) / len(table):.0f}"

    return [
        "## How sure the tiny models may be",
        _commands(
            "python -m har_demo.research calibration-predict DATA ANSWERS",
            "python -m har_demo.research calibrate ANSWERS",
        ),
        f"On {table[0]['clips']} validation clips that show an everyday action, half of the weight on rendered people and half "
        "on people and places that no model was trained or tested on: how often each shipped tiny model is right, and how sure "
        "it is on average, before and after its temperature (`results/measured/calibration.csv`). The temperature divides the "
        "logarithms of a clip's probabilities, so the order of the actions, and with it every accuracy, stays. The last two "
        "columns are clips of places that show none of the actions: how many of them a model is still sure of, from 50 % on. "
        f"A tiny model hardly tells by itself that a clip shows none of its actions: where its likeliest has less than "
        f"{100 * UNSURE:.0f} % it is doubted, which the models do on average with {mean('doubted_outside')} % of the clips that show "
        f"none, and with {mean('doubted_right')} % of their right answers. Clips are few and of few actions: a share of half of "
        f"{table[0]['clips']} clips has a 95 % interval of {low:.0f} to {high:.0f} %, before counting that clips of one place are alike.",
        _table(
            (
                "model",
                "temperature",
                "top-1",
                "mean confidence before",
                "after",
                "sure of clips with none before",
                "after",
            ),
            [
                (
                    f"`{row['model']}`",
                    row["temperature"],
                    f"{row['top1']} %",
                    *(f"{row[name]} %" for name in columns),
                )
                for row in table
            ],
        ),
    ]


def _precision() -> list[str]:
    figures: dict[str, dict[str, float]] = {}
    for row in kept_rows(assets.MEASURED / "precision.csv"):
        figures.setdefault(row["model"], {})[row["precision"]] = float(row["top1"])
        clips = int(row["clips"])
    rows = []
    for name, top1 in figures.items():
        cells = []
        for precision in ("bfloat16", "float32"):
            low, high = confidence_interval(round(top1[precision] * clips / 100), clips)
            cells.append(f"{top1[precision]:.1f} % ({low:.0f} to {high:.0f})")
        rows.append((registry.card(name).title, *cells))
    apart = max(abs(one["bfloat16"] - one["float32"]) for one in figures.values())
    models = ",".join(figures)
    return [
        "## Half the digits on a GPU",
        _commands(
            f"har-demo evaluate --model {models} --data people --out bfloat16.csv",
            f"har-demo evaluate --model {models} --data people --out float32.csv --float32",
        ),
        f"On a GPU networks calculate in bfloat16, unless `--float32` is asked for. Top-1 of {clips} rendered clips with the "
        "95 % interval, both ways on the same clips of one GPU machine (H200; `results/measured/precision.csv`): they are at "
        f"most {apart:.1f} points apart, far less than the intervals.",
        _table(("model", "bfloat16", "float32"), rows),
    ]


def _few_shot() -> list[str]:
    table = kept_rows(assets.MEASURED / "prompting_fewshot.csv")
    tested = {
        name: [row for row in table if row["tested_on"] == name] for name in ("real", "rendered")
    }
    shots = sorted({int(row["shots"]) for row in table} - {0})
    seeds = len({row["seed"] for row in table if row["shots"] != "0"})
    rows = []
    for name, own in tested.items():
        fixed = {row["method"]: row["top1"] for row in own if row["shots"] == "0"}
        cells = [f"{fixed[method]} %" for method in ("class name", "templates")]
        for number in shots:
            scores = [float(row["top1"]) for row in own if row["shots"] == str(number)]
            low, high = min(scores), max(scores)
            cells.append(f"{statistics.mean(scores):.1f} % ({low:.1f} to {high:.1f})")
        rows.append((f"{name}, held out ({own[0]['clips']})", *cells))
    return [
        "## Learned prompts with few clips",
        _commands(
            "python -m har_demo.research prompts-fewshot FEATURES --out results/measured/prompting_fewshot.csv"
        ),
        f"After Ju et al. (`har_demo/models/prompting.py`): top-1 among {len(EVERYDAY)} actions called by name, with the "
        f"same encoders before anything was learned from clips. Means of {seeds} seeds, lowest and highest.",
        _table(
            (
                "clips",
                "class name",
                "templates",
                *(f"{n} clip{'s' * (n > 1)} a class" for n in shots),
            ),
            rows,
        ),
        "CLIP's image encoder ends in the space of sentences; this one ends in ImageNet's classes, which hold next to "
        "nothing of human motion, so that a linear map from its features into that space is learned as well.",
    ]


def _bench() -> list[str]:
    columns = ("measure", "plain way", "this project", "ratio", "target", "verdict")
    rows = [
        tuple(row[column] for column in columns) for row in kept_rows(assets.MEASURED / "bench.csv")
    ]
    return [
        "## Time and memory of a request",
        _commands("har-demo bench"),
        "Three shipped models on a generated clip, against decoding every frame at full size with PyAV and resizing with "
        "torchvision. Two processor cores, no GPU, best of three rounds (`results/measured/bench.csv`).",
        _table(("", *columns[1:]), rows),
    ]


def _costs() -> list[str]:
    table = kept_rows(assets.MEASURED / "costs.csv")
    verified = [row for row in table if row["status"] == "verified"]
    met = sum(row["verdict"] == "equal" for row in verified)
    others = [row for row in table if row["status"] in ("printed", "unverified")]
    differ = [row for row in others if row["verdict"] == "differs"]
    lecture = sum(row["source"].startswith("lecture") for row in differ)
    return [
        "## Costs beside published ones",
        _commands("har-demo costs --out results/measured/costs.csv"),
        f"{met} of {len(verified)} verified figures are met, within 0.1 % of the parameters and 0.5 % of the "
        f"multiply-adds. Of {len(others)} printed or recalled ones {len(others) - len(differ)} agree within 2 % and "
        f"{len(differ)} differ, {lecture} of them printed in the lecture: `results/lecture_errata.csv` explains those.",
    ]


def _flow() -> list[str]:
    table = kept_rows(assets.MEASURED / "flow.csv")
    columns = {
        (row["data"], row["metric"]): row["pairs"]
        for row in table
        if row["metric"] in ("epe", "epe_person")
    }
    names = {"epe": "", "epe_person": ", on the person"}
    header = [f"{data}{names[metric]} ({pairs} pairs)" for (data, metric), pairs in columns.items()]
    timed = {
        (row["data"], row["device"], row["machine"]): None
        for row in table
        if row["metric"] == "ms_per_pair"
    }
    header += [f"ms a pair of {data}, {machine}" for data, _, machine in timed]
    values = {(r["method"], r["data"], r["metric"], r["device"]): float(r["value"]) for r in table}
    rows = []
    for method, title in METHODS_OF_FLOW.items():
        cells = [f"{values[method, *column, 'cpu']:.2f}" for column in columns]
        for data, device, _ in timed:
            taken = values.get((method, data, "ms_per_pair", device))
            cells.append("" if taken is None else f"{taken:.0f}")
        rows.append((title, *cells))
    return [
        "## Optical flow where it is known",
        _commands(
            "har-demo flow --evaluate --data FOLDER --pairs 12 --out results/measured/flow.csv"
        ),
        "Mean end-point error in pixels. So few pairs tell methods apart that differ much.",
        _table(("", *header), rows),
        "The shipped RAFT-small resizes pictures before it looks: that larger pictures help was first seen on these pairs "
        "of FlyingChairs, the factor was chosen on pairs of our own tests "
        "(`python -m har_demo.research flow-sizes`). "
        "`python -m har_demo.research flow-train --out DIR` trains it from pairs with exact flow, made "
        "while it runs; `--model flownet_lab` trains a small FlowNetS. The published RAFT is fetched from torchvision; "
        "FlowNetS and FlowNetC need a file of yours.",
    ]


def _top1() -> dict[tuple[str, str, str], dict[int, float]]:
    """Return (model, input, test set) → seed → top-1 in percent, of the split that is shown."""
    found: dict[tuple[str, str, str], dict[int, float]] = {}
    for row in kept_rows(assets.MEASURED / "tiny.csv"):
        if row["metric"] == "top1" and row["split"] == SPLIT:
            key = (row["model"], row["input"], row["dataset"])
            found.setdefault(key, {})[int(row["seed"])] = float(row["value"])
    return found


def _with_interval(percent: float, clips: int) -> str:
    """Return an accuracy with its 95 % interval, all in percent."""
    low, high = confidence_interval(round(percent * clips / 100), clips)
    return f"{percent:.1f} % ({low:.0f}–{high:.0f})"


def _with_spread(mean: str, spread: str) -> str:
    return f"{mean} ± {spread}" if spread else mean or "—"


def _view(spec: ModelInput) -> str:
    """'16 × 112, frames': frames × side of the crop, and the modality."""
    frames = spec.frames if spec.modality in ("rgb", "difference") else spec.flow_frames
    height, width = spec.crop
    side = f"{height}" if height == width else f"{height} × {width}"
    return f"{frames} × {side}, {INPUTS[spec.modality]}"


def _weights(card: ModelCard) -> str:
    entry = _shipped().get(card.name)
    if entry:
        return f"shipped, {entry['bytes'] / 1e6:.1f} MB"
    if card.package:
        return f"package {card.package.package}, {card.package.bytes / 1e6:.0f} MB"
    if not card.weights:
        return "none public"
    source = card.weights[0]
    return f"{urlsplit(source.url).hostname}, {source.bytes / 1e6:.0f} MB"


def _accuracy(card: ModelCard) -> str:
    entry = _shipped().get(card.name)
    if entry:
        by_set = {item["dataset"]: item["top1"] for item in entry["accuracy"]}
        shown = (TITLES["arid6"], TITLES["rendered"])
        return ", ".join(f"{name} {by_set[name]:.1f} %" for name in shown if name in by_set)
    if not card.accuracy:
        return "—"
    return f"{card.accuracy[0].dataset} {card.accuracy[0].top1:.1f} %"


def _shipped() -> dict[str, dict]:
    return {entry["model"]: entry for entry in shipped.entries(assets.CHECKPOINTS)}


def _link(url: str, text: str) -> str:
    return f"[{text}]({url})" if url else text


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _list(items: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{name}**: {text}" for name, text in items)


def _commands(*lines: str) -> str:
    return "\n".join(("```sh", *lines, "```"))


def _document(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"
