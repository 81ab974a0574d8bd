"""Motion is learned from clips that may be learned from, and the scale is fitted."""

import json

import pytest
import torch
from torch.nn import functional as F
from typer.testing import CliRunner

from har_demo.prompts import embedded, sentences
from har_demo.prompts.learned import FILE, LearnedPrompts
from har_demo.recognize.prepared import HELD_OUT
from har_demo.research.cli import app
from har_demo.research.people.motion import ACTIONS
from har_demo.research.training.prompts import features, fewshot, learn, train
from har_demo.research.training.prompts.features import ANY_VIEW, GOOD_VIEW, RenderedClip
from tests.test_prompts.conftest import clip  # noqa: F401

CLASSES = 4


def made(count: int, seed: int) -> train.Clips:
    """Clips whose action shows in the features alone, in CLASSES of the actions."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    marks = torch.randn(CLASSES, 2560, generator=torch.Generator().manual_seed(9))
    noise = torch.randn(count, 8, 2560, generator=chance)
    there = torch.ones(count, 8, dtype=torch.bool)
    there[::3, 6:] = False
    looks = F.normalize(torch.randn(count, 8, sentences.WIDTH, generator=chance), dim=-1)
    return train.Clips(noise + marks[labels][:, None], there, looks, labels, labels % 2 == 0)


@pytest.fixture(scope="module")
def bank():
    """Three made-up captions of each of CLASSES actions; none of the others."""
    chance = torch.Generator().manual_seed(1)
    means = torch.randn(CLASSES, 1, sentences.WIDTH, generator=chance)
    found = means + 0.2 * torch.randn(CLASSES, 3, sentences.WIDTH, generator=chance)
    return [*found, *[found[0][:0]] * (len(ACTIONS) - CLASSES)]


def right(model: embedded.Joint, bank) -> float:
    some = made(40, seed=2)
    texts = torch.stack([one[0] for one in bank[:CLASSES]])
    with torch.no_grad():
        return float((train.similarity(model, some, texts).argmax(1) == some.labels).float().mean())


def test_what_moves_is_learned_and_nothing_else_changes(bank):
    model = embedded.Joint(train.DROPOUT)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert right(model, bank) < 0.6  # it says nothing yet
    train.learn(model, made(64, seed=0), bank, epochs=12)
    assert right(model, bank) > 0.9
    changed = {n for n, value in model.state_dict().items() if not torch.equal(value, before[n])}
    assert changed and all(name.startswith("motion.") for name in changed)
    assert not model.motion.training


def test_untrained_motion_is_mute():
    assert (embedded.Motion()(torch.randn(1, 3, 2560)) != 0).any()
    assert (embedded.Joint().motion(torch.randn(1, 3, 2560)) == 0).all()


def test_motion_sees_the_neighbours_and_any_number_of_moments():
    torch.manual_seed(0)
    motion = embedded.Motion().eval()
    features = torch.randn(1, 9, 2560)
    changed = features.clone()
    changed[0, 4] = torch.randn(2560)  # not + 1: what all features share is taken out first
    differs = (motion(features) - motion(changed)).abs().sum(dim=-1)[0] > 1e-5
    assert differs.tolist() == [False, False, *[True] * 5, False, False]
    assert motion(features[:, :1]).shape == (1, 1, sentences.WIDTH)


def test_missing_moments_do_not_count():
    some = made(3, seed=4)
    model = embedded.Joint()
    texts = torch.randn(2, sentences.WIDTH)
    wanted = train.similarity(model, some, texts)
    some.looks[~some.there] = 99.0
    assert torch.allclose(train.similarity(model, some, texts), wanted)


def test_the_scale_is_the_one_that_fits():
    """Clips that are right as often as a scale of 10 says are given a scale of about 10."""
    torch.manual_seed(0)
    similarities = torch.rand(3000, 6) * 2 - 1
    labels = torch.multinomial((10 * similarities).softmax(dim=1), 1)[:, 0]
    assert train.best_scale(similarities, labels) == pytest.approx(10, rel=0.15)


def test_tested_wordings_are_never_learned_from():
    for action in ACTIONS:
        learned, tested = (train.sentences_of(action, held_out) for held_out in (False, True))
        assert learned and tested and not set(learned) & set(tested)
    said = train.sentences_of("walk", held_out=True)
    assert all("strolling" in one or "one step after the other" in one for one in said)
    assert not any("strolling" in one for one in train.sentences_of("walk", held_out=False))


@pytest.mark.parametrize(
    ("one", "allowed"),
    [
        (RenderedClip("walk", ANY_VIEW, "train"), True),
        (RenderedClip("walk", ANY_VIEW, "val"), False),
        (RenderedClip("walk", GOOD_VIEW, "test"), False),
        (RenderedClip("walk", GOOD_VIEW, "train"), True),
        (RenderedClip("walk", "weizmann", "lena"), False),
        (RenderedClip("walk", "weizmann", "denis"), True),
        (RenderedClip("run", "arid6", "park"), False),
    ],
)
def test_nobody_is_on_both_sides(one, allowed):
    assert train.trained_on(one) is allowed
    assert HELD_OUT["a"] >= {"lena", "park"}


def test_real_and_rendered_clips_are_drawn_in_their_shares():
    some = made(40, seed=0)
    some.labels[:10] = 0  # one action is frequent
    weights = train.evenly(some)
    assert weights.sum() == pytest.approx(1)
    assert weights[some.real].sum() == pytest.approx(train.REAL)
    by_action = [weights[some.real & (some.labels == label)].sum() for label in (0, 2)]
    assert by_action[0] == pytest.approx(by_action[1])


def test_features_come_back_as_they_were_saved(tmp_path):
    kept = features.Features(
        torch.arange(2 * 8 * 4.0).reshape(2, 8, 4),
        torch.tensor([8, 5]),
        (RenderedClip("walk", ANY_VIEW, "train", 7), RenderedClip("run", "arid6", "park")),
    )
    kept.save(tmp_path / "some.thing")
    kept.save(tmp_path / "more")
    found = features.read_folder(tmp_path)
    assert found.shown == (*kept.shown, *kept.shown) and found.count.tolist() == [8, 5, 8, 5]
    assert torch.equal(found.features[:2], kept.features)
    few = found.only(lambda one: one.rendered)
    assert len(few.shown) == 2 and few.features.shape == (2, 8, 4)


def test_features_of_rendered_people_are_what_asking_computes(clip):  # noqa: F811
    """Training and asking look at pictures in the same way."""
    from har_demo.clips.frames import read_frames
    from har_demo.prompts import catalogue
    from har_demo.prompts.answer import pairs

    now = pairs(torch.tensor([0]).numpy(), clip, 0.2)
    frames, ahead = read_frames(clip, now), read_frames(clip, pairs(now, clip, embedded.AHEAD))
    found = features.compute(
        iter([(frames, ahead, RenderedClip("wave_both_hands", GOOD_VIEW, "test"))])
    )
    tower = catalogue.load("embedded", "cpu")
    asked = tower.look(tower.preparation.pixels(frames), tower.preparation.pixels(ahead))
    assert found.features.shape == (1, features.MOMENTS, 2560) and found.count.tolist() == [1]
    assert torch.allclose(found.features[0, :1], asked, rtol=2e-3, atol=2e-3)


@pytest.mark.nightly
def test_rendered_clips_come_in_order_and_are_split():
    shown = features.people(3) + features.calm(240)[-1:]
    found = list(features.rendered(shown))
    assert [what for _, _, what in found] == shown
    now, ahead, _ = found[0]
    assert now.shape == ahead.shape == (features.MOMENTS, 112, 112, 3) and (now != ahead).any()
    alone = next(features.rendered(shown[:1]))[0]
    assert abs(alone.astype(int) - now).max() <= 1  # the same clip, whatever is rendered beside it
    splits = [one.split for one in features.people(390) if one.action == "walk"]
    assert splits == ["train"] * 8 + ["val", "test"]
    assert [one.split for one in features.calm(234)][::39] == ["train"] * 5 + ["test"]


def test_a_few_clips_of_every_action():
    some = made(40, seed=0)
    chosen = fewshot.few(some, 3, seed=1)
    assert chosen.labels.bincount(minlength=CLASSES).tolist() == [3] * CLASSES
    assert not torch.equal(chosen.features, fewshot.few(some, 3, seed=2).features)


def test_learned_prompts_learn_and_leave_the_encoders_alone():
    from har_demo.prompts import catalogue

    text = catalogue.load("embedded", "cpu").network.text
    torch.manual_seed(0)
    model = LearnedPrompts()
    some = learn.whole(made(60, seed=0))
    names = [(name,) for name in learn.NAMES]
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def read(said):
        return model.texts(text, sentences.tokenize(said))

    learn.learn(model, some, read, names, steps=15)
    changed = {n for n, value in model.state_dict().items() if not torch.equal(value, before[n])}
    assert "entry.weight" in changed and "prompting.prompts.table.weight" in changed
    assert "logit_scale" not in changed and all(p.grad is None for p in text.parameters())
    with torch.no_grad():
        texts = read(learn.NAMES)
    tested = learn.whole(made(40, seed=2))
    near = learn.similarity(model, tested, texts)
    assert train.percent([near], tested.labels)["top1"] > 70


def test_more_moments_than_there_are_places_are_read_in_parts():
    torch.manual_seed(0)
    model = LearnedPrompts().eval()
    features, looks = torch.randn(1, 16, 2560), torch.randn(1, 16, sentences.WIDTH)
    with torch.no_grad():
        halves = [model.videos(features[:, i : i + 8], looks[:, i : i + 8]) for i in (0, 8)]
        whole = model.videos(features, looks)
        assert torch.allclose(whole, F.normalize(sum(halves), dim=-1), atol=1e-5)
        assert model.videos(features[:, :3], looks[:, :3]).norm() == pytest.approx(1)


def test_scores_are_percent():
    similarity = torch.eye(6)
    assert train.percent([similarity], torch.arange(6)) == {"top1": 100.0, "top5": 100.0}
    half = train.percent([similarity, similarity.flip(0)], torch.arange(6))
    assert half["top1"] == 50.0
    assert train.in_turn([["a", "b"], ["c"]]) == [("a", "c"), ("b", "c")]


@pytest.mark.nightly
def test_the_commands_write_weights_and_what_is_known_of_them(tmp_path, monkeypatch):
    """From features drawn at random: what is learned means nothing, that it is written does."""
    shown = features.people(390) + features.calm(234)
    shown += [RenderedClip("walk", "weizmann", group, 1) for group in ("ido", "lena")]
    drawn = torch.Generator().manual_seed(0)
    moments = torch.full((len(shown),), features.MOMENTS)
    values = torch.rand(len(shown), features.MOMENTS, 2560, generator=drawn)
    features.Features(values, moments, tuple(shown)).save(tmp_path / "features" / "all")
    monkeypatch.setattr(train, "image_free", lambda text: embedded.load_joint())
    monkeypatch.setattr(learn, "image_free", lambda text: embedded.load_joint())
    captions = train.sentences_of
    monkeypatch.setattr(train, "sentences_of", lambda *words, **more: captions(*words, **more)[:1])
    out = tmp_path / "checkpoints"
    for words, file in (
        (("prompts-train", "--epochs", "1"), embedded.FILE),
        (("prompts-learn", "--steps", "2"), FILE),
    ):
        words = (words[0], str(tmp_path / "features"), "--out", str(out), *words[1:])
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        facts = json.loads((out / file).with_suffix(".json").read_text(encoding="utf-8"))
        assert facts["bytes"] == (out / file).stat().st_size
        assert facts["learned_from"]["real"] == 1  # lena is held out
        assert {one["clips_of"] for one in facts["accuracy"]} == set(train.TESTED)
        assert {one["name"] for one in facts["data"]} >= {"Weizmann", "ARID", "Workout"}
