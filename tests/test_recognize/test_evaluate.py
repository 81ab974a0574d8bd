"""Any model is evaluated: right counts, and resumed where it stopped."""

import csv
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from har_demo.cli.record import FIRST
from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.rendered import renderer
from har_demo.errors import ClipError, WeightsError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.recognize import ahead
from har_demo.recognize import kept_answers as kept
from har_demo.recognize.eval_set import EvalClip, EvalSet, prepared, rendered_people
from har_demo.recognize.evaluate import EvalTarget, eval_target, evaluate, measure
from har_demo.recognize.prepared import HELD_OUT
from har_demo.research.training.groups import group_of
from har_demo.research.training.recognition.data import prepare
from har_demo.tables.datasets import RENDERED_AND_RECORDED
from tests.evaluated import CLASSES, COLOURS, card, colours, outcome, weights

__all__ = ["card", "weights"]  # fixtures

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
MANIFEST = ROOT / "checkpoints" / "manifest.json"


def coloured(asked: list, *names: str, broken: tuple[str, ...] = ()) -> EvalSet:
    """Clips that are nowhere on the disk, each of its class's colour; `asked` notes who was opened."""

    def look(name: str):
        def opened():
            asked.append(name)
            if name in broken:
                raise ClipError(f"{name} is damaged.")
            facts = SourceFacts(name, "none", "none", 32, 24, 25, 0.5, 0)
            return Clip(Path(), 25, 12, 32, 24, "", facts), read

        def read(clip, indices):
            frames = np.zeros((len(indices), 24, 32, 3), np.uint8)
            frames[:] = COLOURS[name.split()[0].replace("_", " ")]
            return frames

        return opened

    clips = tuple(
        EvalClip(name, "made", "", CLASSES.index(name.split()[0].replace("_", " ")), look(name))
        for name in names
    )
    return EvalSet("made", clips)


def made(card, weights, *names, asked=None, broken=()) -> EvalTarget:
    material = coloured([] if asked is None else asked, *names, broken=broken)
    return eval_target(card.name, lambda classes: material, str(weights))


# --- going on where it stopped --------------------------------------------------------------------


def test_a_measurement_that_was_cut_goes_on_where_it_was(card, weights, tmp_path):
    names, part = ("walking 1", "walking 2", "jumping_jack 1", "bending_down 1"), tmp_path / "p.csv"

    class Cut(Exception):
        pass

    def cut(done, total):
        if done == 2:
            raise Cut

    with pytest.raises(Cut):
        evaluate([made(card, weights, *names)], part, on_progress=cut)
    assert [key[3] for key in kept.read(part)] == ["walking 1", "walking 2"]
    with open(part, "a") as file:
        file.write(f"{card.name},0f,made,jumping_ja")  # as if it were killed while writing

    again = []
    (outcome,) = evaluate([made(card, weights, *names, asked=again)], part)
    assert sorted(again) == ["bending_down 1", "jumping_jack 1"]
    (fresh,) = evaluate([made(card, weights, *names)])
    assert np.array_equal(outcome.forwards, fresh.forwards)
    assert outcome.clips != () and measure(outcome)[0].figures == measure(fresh)[0].figures


def test_other_weights_answer_anew(card, weights, tmp_path):
    part, asked = tmp_path / "p.csv", []
    evaluate([made(card, weights, "walking 1")], part)
    other = colours(3)
    save_file(other.state_dict(), tmp_path / "other.safetensors")
    evaluate([made(card, tmp_path / "other.safetensors", "walking 1", asked=asked)], part)
    assert asked == ["walking 1"]
    evaluate([made(card, weights, "walking 1", asked=asked)], part)
    assert asked == ["walking 1"]
    assert len(kept.read(part)) == 2


def test_backwards_answers_are_asked_for_when_they_are_missing(card, weights, tmp_path):
    part, asked = tmp_path / "p.csv", []
    (forth,) = evaluate([made(card, weights, "walking 1")], part)
    assert forth.backwards is None
    (both,) = evaluate([made(card, weights, "walking 1", asked=asked)], part, backwards=True)
    assert asked == ["walking 1"] and both.backwards.shape == (1, 3)
    evaluate([made(card, weights, "walking 1", asked=asked)], part, backwards=True)
    assert asked == ["walking 1"]


def test_a_damaged_clip_is_counted_apart_and_asked_again_next_time(card, weights, tmp_path):
    part = tmp_path / "p.csv"
    names = ("walking 1", "walking 2", "jumping_jack 1")
    (outcome,) = evaluate([made(card, weights, *names, broken=("walking 2",))], part)
    assert [clip.name for clip in outcome.clips] == ["walking 1", "jumping_jack 1"]
    assert outcome.problems == ("walking 2: walking 2 is damaged.",)
    assert measure(outcome)[0].figures["top1"] == (100, 2)
    asked = []
    (mended,) = evaluate([made(card, weights, *names, asked=asked)], part)
    assert asked == ["walking 2"] and len(mended.clips) == 3


def test_nothing_but_damaged_clips_is_an_error(card, weights):
    with pytest.raises(
        ClipError, match="answered about no clip; the first, walking 1: walking 1 is"
    ):
        evaluate([made(card, weights, "walking 1", broken=("walking 1",))])


# --- asking ---------------------------------------------------------------------------------------


def test_several_models_share_what_is_read(card, weights, monkeypatch):
    other = replace(card, name="colours_two", title="Two", classes=CLASSES[:2])
    monkeypatch.setitem(registry.cards(), other.name, other)
    network = colours(2)
    with torch.no_grad():
        network[2].weight.copy_(torch.eye(3)[[1, 0]])  # for it red is a jumping jack
    two = weights.with_name("two.safetensors")
    save_file(network.state_dict(), two)
    asked = []
    all_three = made(card, weights, "walking 1", "bending_down 1", asked=asked)
    fewer = replace(all_three.eval_set, clips=all_three.eval_set.clips[:1])
    second = eval_target(other.name, lambda classes: fewer, str(two))
    one, two = evaluate([all_three, second])
    assert sorted(asked) == ["bending_down 1", "walking 1"]  # each once
    assert measure(one)[0].figures["top1"] == (100, 2)
    assert measure(two)[0].figures["top1"] == (0, 1)


def test_clips_side_by_side_leave_the_number_of_threads_alone(card, weights, monkeypatch):
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 4)
    before = torch.get_num_threads()
    names = [f"{CLASSES[n % 3].replace(' ', '_')} {n}" for n in range(9)]
    (outcome,) = evaluate([made(card, weights, *names)])
    assert [clip.name for clip in outcome.clips] == names
    assert measure(outcome)[0].figures["top1"] == (100, 9)
    assert torch.get_num_threads() == before


def test_backwards_is_the_same_clip_from_its_end():
    def read(clip, indices):
        return indices

    turned = ahead.reversed_reader(read)
    clip = Clip(Path(), 25, 12, 32, 24, "", None)
    assert turned(clip, np.array([0, 3, 11])).tolist() == [11, 8, 0]


def test_missing_weights_are_an_error_before_anything_is_asked(card, tmp_path):
    asked = []
    with pytest.raises(WeightsError):
        made(card, tmp_path / "nothing.safetensors", "walking 1", asked=asked)
    assert asked == []


# --- counting -------------------------------------------------------------------------------------


def test_counts():
    arid, weizmann = measure(
        outcome(
            [
                ("weizmann", "lena", "bending down"),
                ("weizmann", "moshe", "bending down"),
                ("weizmann", "lena", "bending down"),
                ("weizmann", "lena", "turning around"),
                ("arid6", "park", "walking"),
            ],
            ["bending down", "bending down", "jumping in place", "galloping sideways", "walking"],
        )
    )
    assert (arid.dataset, arid.groups, arid.figures["top1"]) == ("arid6", ("park",), (100, 1))
    assert weizmann.groups == ("lena", "moshe")
    assert weizmann.right.tolist() == [True, True, False, False]
    assert weizmann.figures["top1"] == (50, 4)
    assert weizmann.figures["top5"] == (75, 4)  # class 12 is last, class 0 is second behind 3
    assert weizmann.figures["class_mean"] == (pytest.approx(100 * (2 / 3 + 0) / 2), 4)
    assert "order" not in weizmann.figures and "reversed_top1" not in weizmann.figures


def test_order_and_backwards_are_counted_where_they_mean_something():
    (part,) = measure(
        outcome(
            [("arid6", "", "sitting down"), ("arid6", "", "standing up"), ("arid6", "", "running")],
            ["sitting down", "sitting down", "running"],
            ["standing up", "standing up", "walking"],
        )
    )
    assert part.figures["order"] == (50, 2)
    assert part.figures["reversed_top1"] == (50, 2)  # running backwards has no name


# --- the shipped files ----------------------------------------------------------------------------


def _shipped() -> list[dict]:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))["checkpoints"]


def stated(entry: dict, dataset: str) -> dict:
    return next(row for row in entry["accuracy"] if row["dataset"] == dataset)


def test_shipped_models_were_measured_on_all_data_sets_that_they_know():
    for entry in _shipped():
        clips = {row["dataset"]: row["clips"] for row in entry["accuracy"]}
        expected = {"ARID": 55, "Weizmann": 20, "Workout": 23, RENDERED_AND_RECORDED: 390}
        assert clips == expected | {"Rendered people": 2 * len(EVERYDAY)}, entry["model"]


@pytest.mark.nightly
@pytest.mark.timeout(900)  # a minute on two cores of its own
def test_two_shipped_models_score_on_rendered_people_what_their_manifest_says():
    """Both are asked about the first 60 of the clips that the manifest's figure is about.

    Sixty clips drawn anew would miss a true accuracy by 6 points as often as not, so that neither five
    points would prove nor a failure mean anything. The manifest therefore keeps, beside the figure on
    all clips, that on the first 60, measured by the same command; the clips are the same pixel for
    pixel on a processor. Five points are three clips: room for other roundings, none for other weights,
    another order of classes, or frames prepared in another way.
    """
    every = [registry.card(entry["model"]) for entry in _shipped()]
    # Two that look at the same frames, so that each is rendered once; the cheapest of those.
    pairs = ((a, b) for a, b in itertools.combinations(every, 2) if a.input == b.input)
    chosen = min(pairs, key=lambda pair: sum(card.gmacs or math.inf for card in pair))
    with renderer() as open_scene:
        outcomes = evaluate(
            [
                eval_target(c.name, lambda known: rendered_people(known, FIRST, open_scene))
                for c in chosen
            ]
        )
    for chosen_card, found in zip(chosen, outcomes, strict=True):
        (part,) = measure(found)
        (entry,) = [one for one in _shipped() if one["model"] == chosen_card.name]
        first = stated(entry, "Rendered people")["first"]
        assert first["clips"] == len(part.right) == FIRST
        assert part.figures["top1"][0] == pytest.approx(first["top1"], abs=5), (
            f"{chosen_card.name}: where the renderer draws otherwise than when this was recorded, measure "
            "again with evaluate --data people --record checkpoints"
        )


def held_out(dataset: str) -> list[dict]:
    """The rows of clips.tsv whose person or place no model was trained on."""
    with open(DATA / "clips.tsv", encoding="utf-8", newline="") as file:
        return [
            row
            for row in csv.DictReader(file, delimiter="\t")
            if row["dataset"] == dataset
            and group_of(dataset, row["class"], row["path"]) in HELD_OUT["a"]
        ]


def score_on_film(entry: dict, rows: list[dict], folder: Path) -> list:
    """Prepare these clips in a folder and measure a shipped model on them, data set by data set."""
    source = folder / "source"
    source.mkdir()
    with open(source / "clips.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["path", "dataset", "class"], delimiter="\t")
        table.writeheader()
        for row in rows:
            table.writerow({key: row[key] for key in ("path", "dataset", "class")})
    for name in ("weizmann", "arid6"):
        (source / name).symlink_to(DATA / name)
    prepare(source, folder / "prepared")
    one = eval_target(entry["model"], lambda classes: prepared(folder / "prepared", classes))
    return measure(evaluate([one])[0])


@pytest.mark.nightly
@pytest.mark.skipif(not (DATA / "clips.tsv").exists(), reason="needs the labelled clips")
def test_a_shipped_model_recognises_film(tmp_path):
    """A fifth of Weizmann's held-out clips: by chance one in 39 would be right."""
    entry = _shipped()[-1]
    assert stated(entry, "Weizmann")["top1"] >= 80
    (weizmann,) = score_on_film(entry, held_out("weizmann")[::5], tmp_path)
    top1, clips = weizmann.figures["top1"]
    assert clips == 4 and top1 >= 75


@pytest.mark.nightly
@pytest.mark.skipif(not (DATA / "clips.tsv").exists(), reason="needs the labelled clips")
def test_a_shipped_model_scores_on_film_what_its_manifest_says(tmp_path):
    """One of them on all held-out clips of Weizmann and on every third of ARID's."""
    filmed, places = held_out("weizmann"), held_out("arid6")
    assert (len(filmed), len(places)) == (20, 55)
    entry = _shipped()[-1]
    arid, weizmann = score_on_film(entry, filmed + places[::3], tmp_path)
    assert weizmann.figures["top1"][1] == 20
    assert weizmann.figures["top1"][0] == pytest.approx(stated(entry, "Weizmann")["top1"], abs=5.1)
    # A third of the clips.
    assert arid.figures["top1"][0] == pytest.approx(stated(entry, "ARID")["top1"], abs=20)
