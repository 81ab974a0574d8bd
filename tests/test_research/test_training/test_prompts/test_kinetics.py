"""Settings of free text with Kinetics' actions: read from tables and chosen where the right answer is known."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from typer.testing import CliRunner

from har_demo.models.label_sets import KINETICS400
from har_demo.prompts import embedded
from har_demo.prompts import kinetics as serving
from har_demo.prompts.answer import FRAMES, EncodedFrames, similarities
from har_demo.prompts.image_text import ImageTextModel
from har_demo.prompts.kinetics import ActionNames, RecognisedActions
from har_demo.research.cli import app
from har_demo.research.training.prompts import kinetics
from har_demo.research.training.prompts.kinetics import Questions, Seen, ValidationClip
from har_demo.weights.state import sha256
from tests.media import numbered_frames, write
from tests.test_prompts.conftest import bare_networks, small_i3d  # noqa: F401

WIDTH = 400  # every action has an axis of its own
SOME = ("archery", "bowling", "playing violin", "surfing water")


def shown(action: str, dataset: str = "ucf101", everyday: str = "") -> ValidationClip:
    prompts = {"dataset": dataset, "class": action, "kinetics": action, "prompt": action}
    prompts |= {"wording_2": f"{action} again", "wording_3": f"{action} once more"}
    return ValidationClip(f"{action}.mp4", dataset, action, everyday, prompts)


def of_clips(clips: tuple[ValidationClip, ...], sure: float = 0.9) -> Seen:
    """Clips of which I3D names the action with some probability, and pictures show nothing."""
    named = [KINETICS400.index(clip.prompts.get("kinetics") or "yoga") for clip in clips]
    scores = torch.full((len(clips), 400), (1 - sure) / 399)
    scores[range(len(clips)), named] = sure
    moments = torch.zeros(len(clips), FRAMES, WIDTH)
    return Seen(
        clips,
        scores.expand(len(kinetics.VIEWS), -1, -1).clone(),
        moments,
        torch.full((len(clips),), 2),
    )


def asked(seen: Seen) -> Questions:
    """Sentences along the axes of the actions; those that no clip shows lie along the last axes."""
    actions = list(dict.fromkeys(clip.name for clip in seen.clips))
    axes = torch.eye(WIDTH)
    own = axes[[KINETICS400.index(name) for name in actions]]
    return Questions(
        labels=torch.tensor([actions.index(clip.name) for clip in seen.clips]),
        wordings=(own, own, own),
        others=axes[-kinetics.OTHERS - 4 :],
        draws=tuple(np.arange(at, at + kinetics.OTHERS) for at in range(3)),
    )


NAMES = ActionNames(torch.eye(WIDTH), 0.5, 0.05, 2.0, 0.1, 0.3)


def test_clips_come_from_both_tables_and_the_folder(tmp_path):
    (tmp_path / "clips").mkdir()
    for name in ("biking.avi", "basketball.mp4"):
        (tmp_path / "clips" / name).touch()
    tables = {
        "clips.tsv": (
            ("path", "dataset", "class"),
            ("weizmann/wave2/denis.mp4", "weizmann", "wave2"),
            ("ucf101/a.avi", "ucf101", "Archery"),
        ),
        "more_clips.tsv": (
            ("path", "dataset", "class", "label39"),
            ("gmdcsa24_seg/f.mp4", "gmdcsa24_seg", "falling", "falling"),
            ("gmdcsa24_seg/w.mp4", "gmdcsa24_seg", "walking", ""),
            ("ut_interaction/n.mp4", "ut_interaction", "no_interaction", ""),
        ),
    }
    for name, rows in tables.items():
        (tmp_path / name).write_text("\n".join("\t".join(row) for row in rows) + "\n")
    found = kinetics.validation_clips(tmp_path)
    assert [(one.path, one.dataset, one.name) for one in found] == [
        ("clips/basketball.mp4", "clips", "basketball"),
        ("clips/biking.avi", "clips", "biking"),
        ("weizmann/wave2/denis.mp4", "weizmann", "wave2"),
        ("ucf101/a.avi", "ucf101", "Archery"),
        ("gmdcsa24_seg/f.mp4", "gmdcsa24_seg", "falling"),
        ("gmdcsa24_seg/w.mp4", "gmdcsa24_seg", "walking"),
    ]  # whether 'no interaction' is an everyday action is unclear
    everyday = [one.everyday for one in found]
    assert everyday == ["shooting at a hoop", "", "waving both hands", "", "falling", "walking"]
    archery = found[3].prompts
    assert (archery["kinetics"], archery["prompt"]) == ("archery", "archery")
    assert archery["wording_2"] != archery["wording_3"] != ""
    assert found[2].prompts == {} and found[4].prompts == {}


def test_the_prompts_name_actions_that_kinetics_has():
    with kinetics.PROMPTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["dataset"], row["class"]) for row in rows}) == len(rows)
    assert all(row["kinetics"] in (*KINETICS400, "") for row in rows)
    for row in rows:
        wordings = {row["prompt"], row["wording_2"], row["wording_3"]}
        assert len(wordings) == 3 and all(one.strip() == one != "" for one in wordings)


def test_questions_leave_out_what_a_clip_shows():
    seen = of_clips(tuple(shown(name) for name in ("archery", "bowling", "archery")))
    read = []

    class Texts:
        """Reads a sentence as its number."""

        name, provenance, device = "numbers", (), torch.device("cpu")

        def texts(self, sentences):
            read.extend(sentences)
            return F.one_hot(torch.arange(len(sentences)) % 8, 8).float()

    found = kinetics.questions(seen, Texts())
    assert found.labels.tolist() == [0, 1, 0]
    assert [len(one) for one in found.wordings] == [2, 2, 2]
    assert read[:6] == [
        *("archery", "bowling"),
        *("archery again", "bowling again"),
        *("archery once more", "bowling once more"),
    ]
    others = {name.casefold() for name in read[6:]}
    assert not others & {"archery", "bowling"} and "yo yo" in others
    assert len(found.draws) == kinetics.DRAWS
    assert all(len(set(draw)) == kinetics.OTHERS for draw in found.draws)
    assert all(draw.max() < len(found.others) for draw in found.draws)
    assert not np.array_equal(*found.draws[:2])


def test_scores_are_means_over_actions():
    """Three clips of one action are right and one of another is wrong: 50 %, and 75 % of the clips."""
    seen = of_clips(tuple(shown(name) for name in ("archery", "archery", "archery", "bowling")))
    own = torch.eye(2)
    questions = Questions(
        torch.tensor([0, 0, 0, 1]), (own,) * 3, torch.zeros(3, 2), (np.arange(3),)
    )
    always_first = lambda sentences: (sentences @ torch.tensor([1.0, -1.0])).expand(4, -1)  # noqa: E731
    found = kinetics.score(questions, always_first)
    assert (found.top1, found.top3, found.correct, found.clips) == (50.0, 50.0, 3, 4)
    second = lambda sentences: (sentences @ torch.tensor([1.0, 0.5])).expand(4, -1)  # noqa: E731
    found = kinetics.score(questions, second)
    assert (found.top1, found.top3) == (50.0, 100.0) and len(seen.clips) == 4


def test_the_joined_answer_is_the_one_that_is_served():
    seen = of_clips((shown("archery"), shown("bowling")), sure=0.6)
    seen.moments[:, :2] = F.normalize(
        torch.randn(2, 2, WIDTH, generator=torch.manual_seed(0)), dim=-1
    )
    sentences = torch.eye(WIDTH)[:5]
    found = kinetics.joined(seen, seen.views[0], NAMES)(sentences)
    model = ImageTextModel(
        name="made",
        title="Made",
        network=torch.nn.Identity(),
        tokenize=lambda texts: torch.zeros(0),
        reading=embedded.reading,
        preparation=embedded.PREPARATION,
        provenance=(),
        actions=NAMES,
    )
    for row, clip in enumerate(found):
        actions = RecognisedActions(seen.views[0][[row, row]], None)
        served = EncodedFrames(seen.moments[row, :2], None, actions, np.arange(2), 0, 0)
        assert torch.allclose(similarities(model, served, sentences).mean(0), clip, atol=1e-5)


def test_conse_is_the_mean_of_the_likeliest_names():
    scores = torch.zeros(1, 400)
    scores[0, :3] = torch.tensor([0.6, 0.3, 0.1])
    found = kinetics.conse(scores, torch.eye(400), likeliest=2)(torch.eye(400)[:3])
    assert found[0].tolist() == pytest.approx([0.6 / 0.45**0.5, 0.3 / 0.45**0.5, 0], abs=1e-6)


def test_pictures_that_mislead_make_kinetics_strong():
    """Pictures always resemble another action a little, and I3D is right: strength must outdo them."""
    seen = of_clips(tuple(shown(name) for name in SOME), sure=0.6)
    wrong = [KINETICS400.index(SOME[(i + 1) % len(SOME)]) for i in range(len(SOME))]
    seen.moments[:, :2] = torch.eye(WIDTH)[wrong][:, None]
    questions = asked(seen)
    assert kinetics.score(questions, kinetics.pictures_alone(seen)).top1 == 0
    found = kinetics.choose(questions, seen, seen.views[0], torch.eye(WIDTH))
    tried = kinetics.score(questions, kinetics.joined(seen, seen.views[0], found))
    assert (tried.top1, tried.top3, tried.correct) == (100.0, 100.0, 4)
    assert found.strength in kinetics.STRENGTH and found.strength > 0.5
    assert 0.001 <= found.temperature < 4


def test_the_temperature_is_the_likeliest():
    """Where I3D is wrong in one of four clips, no answer may be surer than that."""
    seen = of_clips(tuple(shown(name) for name in (*SOME,)), sure=0.9)
    scores = seen.views[0].clone()
    scores[3] = scores[0]  # of the last clip it names the first one's action
    questions = asked(seen)
    found = kinetics.calibrate(questions, seen, scores, NAMES)
    (options, *_) = questions.options(kinetics.joined(seen, scores, found))
    share = (options / found.temperature).softmax(1)
    assert float(share.max(1).values.mean()) == pytest.approx(0.75, abs=0.04)


def test_none_of_these_lies_between_offered_and_missing():
    seen = of_clips(tuple(shown(name) for name in SOME))
    questions = asked(seen)
    found = kinetics.calibrate(questions, seen, seen.views[0], NAMES)
    answer = kinetics.joined(seen, seen.views[0], found)
    every = torch.cat(questions.options(answer))
    assert float(every.max(1).values.min()) > found.none
    assert kinetics.none_rates(questions, answer, found.none) == (0.0, 100.0)
    assert kinetics.none_rates(questions, answer, 100.0) == (100.0, 100.0)
    assert kinetics.none_rates(questions, answer, -100.0) == (0.0, 0.0)


def test_open_set_rows_count_false_alarms_and_what_is_detected():
    clips = (
        shown("archery"),  # no everyday action, and I3D is sure of it
        shown("bowling", everyday="bowling"),  # near to one: never held against it
        shown("playing violin", dataset="other", everyday="walking"),  # a false alarm
        shown("yoga", dataset="other"),
    )
    seen = of_clips(clips, sure=0.65)
    seen.views[:, 3] = 1 / 400  # of the last clip it is sure of nothing
    rows = kinetics.open_set_rows(seen)
    found = {
        (row["threshold"], row["dataset"], row["shows_everyday_action"]): (
            row["clips"],
            row["contradicted"],
        )
        for row in rows
    }
    for threshold in (0.3, 0.5, 0.6):
        assert found[threshold, "all", "yes"] == (2, 50.0)
        assert found[threshold, "all", "no"] == (2, 50.0)
        assert found[threshold, "ucf101", "no"] == (1, 100.0)
        assert found[threshold, "ucf101", "yes"] == (1, 0.0)
        assert found[threshold, "other", "yes"] == (1, 100.0)
    assert found[0.7, "all", "yes"] == found[0.7, "all", "no"] == (2, 0.0)
    assert all(row["low"] <= row["contradicted"] <= row["high"] for row in rows)


def test_rows_of_views_count_what_i3d_names():
    unnamed = replace(shown("archery"), prompts={})
    seen = of_clips((shown("archery"), shown("bowling"), unnamed))
    second = KINETICS400.index("yoga")
    seen.views[0, 1, second] = 0.95  # the first sampling takes bowling for yoga
    first, *others = kinetics.view_rows(seen)
    assert (first["frames"], first["fps"], first["windows"]) == kinetics.VIEWS[0]
    assert (first["clips"], first["top1"], first["top5"]) == (2, 50.0, 100.0)
    assert {(row["top1"], row["top5"]) for row in others} == {(100.0, 100.0)}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """A file of features as `kinetics-features` writes it, of clips made up."""
    seen = of_clips(tuple(shown(name) for name in SOME))
    file = tmp_path_factory.mktemp("features") / "kinetics"
    np.savez_compressed(
        file.with_suffix(".npz"),
        probabilities=seen.views.movedim(0, 1).numpy(),
        moments=np.zeros((len(SOME), FRAMES, 384), np.float16),
        count=seen.count.numpy(),
        clips=np.array([json.dumps(vars(one)) for one in seen.clips]),
    )
    return file


def test_what_was_computed_is_read_again(features):
    found = kinetics.read(features)
    assert tuple(clip.name for clip in found.clips) == SOME
    assert found.views.shape == (len(kinetics.VIEWS), len(SOME), 400)
    some = found.only(lambda clip: clip.name == "bowling")
    assert [clip.name for clip in some.clips] == ["bowling"]
    assert int(some.views[0, 0].argmax()) == KINETICS400.index("bowling")


@pytest.mark.nightly
def test_the_command_that_chooses(features, tmp_path, monkeypatch):
    monkeypatch.setattr(kinetics, "SHARPNESS", (0.5,))
    monkeypatch.setattr(kinetics, "WIDTH", (0.05,))
    monkeypatch.setattr(kinetics, "STRENGTH", (1.0, 4.0))
    results, checkpoints = tmp_path / "results", tmp_path / "checkpoints"
    results.mkdir()
    given = [str(features), "--checkpoints", str(checkpoints), "--results", str(results)]
    done = CliRunner().invoke(app, ["kinetics-text", *given])
    assert done.exit_code == 0, done.output
    said = dict(line.split() for line in done.output.splitlines())
    assert said["sharpness"] == "0.500" and said["strength"] in ("1.000", "4.000")
    assert set(said) == {*serving.SETTINGS, "refused_if_offered", "refused_if_not"}
    with (results / "free_text.csv").open() as file:
        rows = {row["way"]: row for row in csv.DictReader(file)}
    assert rows["all together"]["top1"] == "100.0" and rows["all together"]["clips"] == "4"
    assert rows["all together"]["prompts"] == str(len(SOME) + kinetics.OTHERS)
    assert {"i3d_views.csv", "open_set.csv"} < {file.name for file in results.iterdir()}

    file = checkpoints / serving.FILE
    note = json.loads(file.with_suffix(".json").read_text())
    assert note["sha256"] == sha256(file) and note["bytes"] == file.stat().st_size
    assert note["chosen_on"] == {"clips": 4} and note["sharpness"] == 0.5
    assert load_file(file)["names"].shape == (400, 384)
    monkeypatch.setenv("HAR_CHECKPOINTS", str(checkpoints))
    serving.load.cache_clear()
    try:
        assert serving.load().temperature == pytest.approx(float(said["temperature"]), abs=1e-3)
    finally:
        serving.load.cache_clear()


@pytest.mark.nightly
def test_the_command_that_computes(small_i3d, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(kinetics, "VIEWS", ((16, 12.5, 1), (16, 25.0, 2)))
    (tmp_path / "clips").mkdir()
    write(tmp_path / "clips" / "biking.mp4", numbered_frames(30, (96, 72)))
    write(tmp_path / "wave.mp4", numbered_frames(40, (96, 72)))
    (tmp_path / "clips.tsv").write_text("path\tdataset\tclass\nwave.mp4\tweizmann\twave2\n")
    (tmp_path / "more_clips.tsv").write_text("path\tdataset\tclass\tlabel39\n")
    out = tmp_path / "features"
    done = CliRunner().invoke(app, ["kinetics-features", str(tmp_path), str(out)])
    assert done.exit_code == 0, done.output
    assert done.output.strip() == f"2 clips in {out}"
    found = kinetics.read(out)
    assert [clip.everyday for clip in found.clips] == ["", "waving both hands"]
    assert found.views.shape == (2, 2, 400) and found.count.tolist() == [FRAMES, FRAMES]
    assert found.views.sum(-1).numpy() == pytest.approx(np.ones((2, 2)), abs=1e-4)
    assert found.moments.norm(dim=-1).numpy() == pytest.approx(np.ones((2, FRAMES)), abs=2e-3)
