"""One pass over the frames answers any number of prompts, and the answer says how it came about."""

from dataclasses import replace

import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.prompts import answer as answers
from har_demo.prompts import catalogue, words
from har_demo.prompts.answer import ask, embed_texts, pool, rescore

PROMPTS = ("walking", "waving both hands", "cooking")


@pytest.fixture(autouse=True)
def nothing_kept():
    answers.forget()


@pytest.fixture
def counted(tiny, monkeypatch):
    """How many frames and sentences the model is given."""
    model = catalogue.load(tiny).network
    seen = {"frames": [], "sentences": []}
    image, text = model.encode_image, model.encode_text
    monkeypatch.setattr(
        model, "encode_image", lambda x: seen["frames"].append(len(x)) or image(x), raising=False
    )
    monkeypatch.setattr(
        model, "encode_text", lambda x: seen["sentences"].append(len(x)) or text(x), raising=False
    )
    return seen


def test_the_answer_has_everything(clip, tiny):
    said = []
    found = ask(clip, PROMPTS, tiny, "mean", on_progress=lambda done, words: said.append(done))
    frames, prompts = len(found.frames), len(PROMPTS)
    assert (found.model, found.prompts, frames) == (tiny, PROMPTS, answers.FRAMES)
    assert found.similarity.shape == (frames, prompts)
    assert found.similarity.dtype == np.float32 and np.abs(found.similarity).max() <= 1.0001
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert found.pooled == pytest.approx(found.similarity.mean(axis=0), abs=1e-6)
    assert (found.frames[found.similarity.argmax(axis=0)] == found.best).all()
    assert found.seconds() == pytest.approx(found.frames / clip.fps)
    assert found.frames.min() >= 0 and found.frames.max() < clip.frames
    assert found.top(1)[0][1] == found.probabilities.max()
    assert found.none is None and not found.nothing and found.notes == ()
    assert found.provenance[0].source == "user" and len(found.provenance[0].sha256) == 64
    assert said == sorted(said) and said[-1] == 1.0


def test_probabilities_follow_from_similarities(clip, tiny):
    found = ask(clip, PROMPTS, tiny, temperature=0.5)
    shares = np.exp(found.pooled / 0.5)
    assert found.probabilities == pytest.approx(shares / shares.sum(), abs=1e-5)
    assert ask(clip, PROMPTS, tiny).temperature == pytest.approx(0.07, abs=1e-4)  # CLIP's start


def test_a_hundred_prompts_cost_one_pass_over_32_frames(clip, tiny, counted):
    found = ask(clip, [f"action number {n}" for n in range(100)], tiny, frames=32)
    assert found.similarity.shape == (32, 100)
    assert sum(counted["frames"]) == 32
    assert sum(counted["sentences"]) == 100


def test_what_is_known_is_not_asked_again(clip, tiny, counted):
    first = ask(clip, PROMPTS, tiny)
    again_first = ask(clip, [*PROMPTS, "sleeping"], tiny)
    assert sum(counted["frames"]) == answers.FRAMES
    assert sum(counted["sentences"]) == len(PROMPTS) + 1
    assert again_first.similarity[:, :3] == pytest.approx(first.similarity, abs=1e-6)
    assert again_first.times.image == 0 < first.times.image


def test_templates_are_averaged(clip, tiny):
    one, other, both = (
        ask(clip, PROMPTS, tiny, templates=templates)
        for templates in (["a {}"], ["the {}"], ["a {}", "the {}"])
    )
    low, high = (
        np.minimum(one.similarity, other.similarity),
        np.maximum(one.similarity, other.similarity),
    )
    # The mean of two unit vectors is made unit again, so it may come a little closer than both.
    assert (both.similarity > low - 0.05).all() and (both.similarity < high + 0.05).all()
    assert not np.allclose(both.similarity, one.similarity)
    rows = embed_texts(catalogue.load(tiny), PROMPTS, ["a {}", "the {}"])
    assert rows.norm(dim=-1).tolist() == pytest.approx([1, 1, 1], abs=1e-6)


def test_pooling():
    similarity = np.float32([[0.1, 0.9], [0.3, 0.1], [0.2, 0.2]])
    assert pool(similarity, "mean").tolist() == pytest.approx([0.2, 0.4])
    assert pool(similarity, "max").tolist() == pytest.approx([0.3, 0.9])
    focused = pool(similarity, "attention")
    assert (focused > pool(similarity, "mean")).all()
    assert (focused < pool(similarity, "max")).all()
    # As keen where cosines hardly differ, and at ease where they do not.
    assert pool(similarity / 50, "attention") * 50 == pytest.approx(focused, abs=1e-4)
    assert pool(np.full((3, 1), 0.2), "attention").tolist() == pytest.approx([0.2])


def test_none_of_these_is_an_option(clip, tiny):
    plain = ask(clip, PROMPTS, tiny)
    found = ask(clip, PROMPTS, tiny, background=words.BACKGROUND)
    assert found.none + found.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert (found.probabilities < plain.probabilities).all()
    assert found.nothing == (found.none > found.probabilities.max())
    # With the prompt itself as background, both are equally likely.
    same = ask(clip, ["walking"], tiny, background=["walking"])
    assert same.none == pytest.approx(0.5, abs=1e-5)


def test_a_threshold_says_none_of_these(clip, tiny):
    best = float(ask(clip, PROMPTS, tiny).pooled.max())
    assert not ask(clip, PROMPTS, tiny, threshold=best - 0.01).nothing
    assert ask(clip, PROMPTS, tiny, threshold=best + 0.01).nothing


def test_pooling_again_gives_what_asking_again_gives(clip, tiny, counted):
    first = ask(clip, PROMPTS, tiny, background=words.BACKGROUND)
    other = {"pooling": "max", "temperature": 0.3, "threshold": 0.5}
    asked = ask(clip, PROMPTS, tiny, background=words.BACKGROUND, **other)
    before = len(counted["frames"])
    found = rescore(first, **other)
    assert len(counted["frames"]) == before
    assert found.probabilities == pytest.approx(asked.probabilities, abs=1e-5)
    assert (found.none, found.below) == (pytest.approx(asked.none, abs=1e-5), asked.below)
    assert rescore(first).probabilities == pytest.approx(first.probabilities, abs=1e-5)


def test_a_learned_transformer_is_one_of_the_poolings(clip):
    """The embedded model have one; asking with it and reading again with it are the same."""
    asked = ask(clip, PROMPTS, pooling="transformer", background=words.BACKGROUND, frames=12)
    plain = ask(clip, PROMPTS, background=words.BACKGROUND, frames=12)
    assert plain.poolings == answers.POOLINGS
    assert asked.pooled == pytest.approx(asked.whole.similarity)
    assert not np.allclose(asked.pooled, plain.pooled, atol=0.02)
    own = plain.own_temperature("transformer")
    assert asked.temperature == own == asked.whole.temperature != plain.temperature
    found = rescore(plain, "transformer", own)
    assert found.probabilities == pytest.approx(asked.probabilities, abs=1e-5)
    assert (
        found.none == pytest.approx(asked.none, abs=1e-5) and found.none_pooled == asked.whole.none
    )
    assert rescore(found, "mean", plain.temperature).none == pytest.approx(plain.none, abs=1e-5)


def test_long_lists_say_how_far_they_are(clip, tiny):
    told = []
    ask(clip, [f"list {n}" for n in range(200)], tiny, on_progress=lambda *one: told.append(one))
    shares = [share for share, sentence in told if sentence == "Reading 200 prompts"]
    assert len(set(shares)) >= 4 and shares == sorted(shares)


def test_a_long_prompt_is_cut_and_says_so(clip, tiny):
    long = "a person walks " * 30
    found = ask(clip, [long, "waving"], tiny)
    assert [one.cut for one in found.readings] == [True, False]
    assert found.readings[0].tokens == 92 and found.readings[0].limit == 77
    assert len(found.notes) == 1
    assert "92 tokens and 77 are read" in found.notes[0]
    assert found.readings[0].read == ("a person walks " * 25).strip()


def test_a_clip_that_is_no_file(clip, tiny):
    asked = []

    def read(clip, indices):
        asked.append(indices)
        return np.zeros((len(indices), 48, 64, 3), np.uint8)

    for _ in range(2):
        found = ask(clip, PROMPTS, tiny, frames=4, read=read)
    assert len(asked) == 2  # what is not read from the clip is not kept under its name
    assert np.ptp(found.similarity, axis=0).max() < 1e-5


def test_a_varying_rate_is_said(clip, tiny):
    varies = replace(clip, source=replace(clip.source, variable_rate=True))
    assert not any("variable rate" in note for note in ask(clip, ["waving"], tiny).notes)
    assert any("variable rate" in note for note in ask(varies, ["waving"], tiny).notes)


def test_a_clip_shorter_than_the_frames_wanted(clip, tiny):
    from dataclasses import replace

    found = ask(replace(clip, frames=3, sha256="short"), PROMPTS, tiny, frames=16)
    assert found.frames.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prompts": []}, "no prompt"),
        ({"pooling": "sum"}, "mean, max, attention"),
        ({"pooling": "transformer"}, "no learned transformer"),
        ({"templates": ["nothing"]}, "exactly one"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": -1.0}, "temperature"),
        ({"threshold": 2.0}, "threshold"),
        ({"frames": 0}, "frames"),
        ({"frames": 1000}, "frames"),
        ({"background": [" "]}, "no prompt"),
        ({"model": "ViT-Z-99/nobody"}, "no image-text model 'ViT-Z-99/nobody'"),
        ({"model": "resnet"}, "no image-text model"),
    ],
)
def test_what_cannot_be_asked(clip, tiny, wrong, says):
    asked = {"prompts": PROMPTS, "model": tiny} | wrong
    with pytest.raises(ChoiceError, match=says):
        ask(clip, **asked)
