"""Prompts are learned around CLIP's own encoders, as the paper has them: here around a tiny one that nobody trained."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from typer.testing import CliRunner

from har_demo.errors import ChoiceError
from har_demo.prompts import catalogue, clip_prompts
from har_demo.prompts.clip_prompts import ClipPrompts
from har_demo.prompts.image_text import ImageTextModel
from har_demo.research.cli import app
from har_demo.research.people.motion import ACTIONS
from har_demo.research.training.prompts import features, learn, train
from har_demo.research.training.prompts.features import GOOD_VIEW, RenderedClip
from tests.test_prompts.conftest import TINY, tiny  # noqa: F401

WIDTH = TINY["embed_dim"]


@pytest.fixture(scope="module")
def model(tiny) -> ImageTextModel:  # noqa: F811
    return catalogue.load(tiny, "cpu")


def made(count: int, seed: int) -> features.Features:
    """Features of clips that show one of four actions, which a line would tell apart."""
    marks = torch.randn(4, WIDTH, generator=torch.Generator().manual_seed(9))
    noise = torch.randn(count, 8, WIDTH, generator=torch.Generator().manual_seed(seed))
    shown = [
        RenderedClip(ACTIONS[n % 4], GOOD_VIEW, ("train", "train", "val", "test")[n // 4 % 4], n)
        for n in range(count)
    ]
    found = 0.5 * noise + marks[torch.arange(count) % 4][:, None]
    return features.Features(found, torch.full((count,), 8), tuple(shown))


def test_it_has_the_papers_sizes():
    learned = ClipPrompts()
    assert learned.prompting.prompts.around == 16 and clip_prompts.FRAMES == 16
    assert sum(p.numel() for p in learned.parameters()) == pytest.approx(3_200_000, rel=0.001)


def test_vectors_stand_on_both_sides_of_the_name(model):
    """With vectors of words in place of the learned ones, CLIP itself reads the same sentence."""
    learned = clip_prompts.around(model)
    text = clip_prompts.text_encoder(model)
    words = "one " * 16
    tokens = model.tokenize([words])[0, 1:17]
    table = learned.prompting.prompts.table.weight
    with torch.no_grad():
        table[:16] = table[-16:] = text.token_embedding(tokens)
        found = learned.texts(text, model.tokenize(["waving", "sitting down on a chair"]))
    wanted = model.texts([f"{words} waving {words}", f"{words} sitting down on a chair {words}"])
    assert torch.allclose(F.normalize(found, dim=-1), wanted, atol=1e-5)


def test_a_long_name_is_cut_and_keeps_its_end(model):
    learned, text = clip_prompts.around(model), clip_prompts.text_encoder(model)
    with torch.no_grad():
        long, cut = learned.texts(text, model.tokenize(["walks " * 60, "walks " * 43]))
    assert torch.allclose(long, cut, atol=1e-5)  # 43 words, two marks and 32 vectors are 77


def test_prompts_learn_and_the_encoders_do_not(model):
    learner = learn.Learner(
        model=(learned := clip_prompts.around(model)),
        read=lambda said: learned.texts(clip_prompts.text_encoder(model), model.tokenize(said)),
        clips=train.plain_clips,
        width=WIDTH,
        file="",
        encoders="",
        licence="",
    )
    torch.manual_seed(0)
    some, tested = (train.plain_clips(made(48, seed)) for seed in (0, 1))
    encoders = {name: value.clone() for name, value in model.network.state_dict().items()}

    def loss() -> float:
        with torch.no_grad():
            near = learn.similarity(learned, tested, learner.read(learn.NAMES))
            return float(F.cross_entropy(near * learned.logit_scale.exp(), tested.labels))

    before, vectors = loss(), learned.prompting.prompts.table.weight.clone()
    learn.learn(learned, some, learner.read, [(name,) for name in learn.NAMES], steps=60)
    assert loss() < 0.5 * before
    assert not torch.equal(learned.prompting.prompts.table.weight, vectors)
    assert all(torch.equal(value, encoders[n]) for n, value in model.network.state_dict().items())


def test_more_moments_than_places_are_read_in_parts():
    torch.manual_seed(0)
    learned, looks = ClipPrompts(WIDTH, WIDTH).eval(), torch.randn(1, 32, WIDTH)
    with torch.no_grad():
        halves = [learned.videos(looks[:, i : i + 16], looks[:, i : i + 16]) for i in (0, 16)]
        assert torch.allclose(learned.videos(looks, looks), F.normalize(sum(halves), dim=-1))


def test_features_are_the_image_encoders(model):
    frames = np.random.default_rng(0).integers(0, 255, (2, 40, 40, 3), np.uint8)
    shown = RenderedClip("walk", GOOD_VIEW, "train")
    found = features.compute(iter([(frames, frames, shown)]), "cpu", model)
    assert found.features.shape == (1, features.MOMENTS, WIDTH) and found.count.tolist() == [2]
    looks = model.look(model.preparation.pixels(frames))
    assert torch.allclose(found.features[0, :2], looks, atol=2e-3)


def test_other_text_encoders_are_refused(model):
    from dataclasses import replace

    import open_clip

    def other(**text) -> ImageTextModel:
        torch.manual_seed(0)
        network = open_clip.CLIP(**TINY | {"text_cfg": TINY["text_cfg"] | text})
        return replace(model, network=network, name="some/model")

    with pytest.raises(ChoiceError, match="some/model is not of CLIP's kind"):
        clip_prompts.text_encoder(other(no_causal_mask=True))
    with pytest.raises(ChoiceError, match="reads 32 tokens, too few for 16"):
        clip_prompts.text_encoder(other(context_length=32))


def test_the_command_writes_what_loads_again(tiny, model, tmp_path, monkeypatch):  # noqa: F811
    made(64, seed=0).save(tmp_path / "features" / "some")
    monkeypatch.setattr(train, "TESTED", {"rendered": lambda one: one.split == "test"})
    words = ["prompts-learn", str(tmp_path / "features"), "--out", str(tmp_path), "--steps", "20"]
    result = CliRunner().invoke(app, [*words, "--model", tiny])
    assert result.exit_code == 0, result.output
    file = tmp_path / "prompts" / "learned-tiny.safetensors"
    facts = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    assert "around tiny" in facts["what"] and facts["command"].endswith("--model tiny")
    assert facts["bytes"] == file.stat().st_size and facts["learned_from"]["clips"] == 32
    loaded = clip_prompts.load(file, model)
    tested = train.plain_clips(made(64, seed=0).only(train.TESTED["rendered"]))
    with torch.no_grad():
        texts = loaded.texts(clip_prompts.text_encoder(model), model.tokenize(learn.NAMES))
    top1 = train.percent([learn.similarity(loaded, tested, texts)], tested.labels)["top1"]
    assert top1 == pytest.approx(facts["accuracy"][0]["top1_by_name"], abs=7)  # halves are saved
    assert float(loaded.logit_scale.exp()) == pytest.approx(facts["scale"], rel=0.01)


def test_features_of_another_encoder_are_refused(tmp_path):
    made(16, seed=0).save(tmp_path / "features" / "some")
    with pytest.raises(ChoiceError, match="not by the image encoder of embedded"):
        learn.ship(tmp_path / "features", tmp_path)
