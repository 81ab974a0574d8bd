"""A CLIP model that prompts were learned around answers with them: here a tiny one that nobody trained."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from typer.testing import CliRunner

from har_demo import storage
from har_demo.cli import app
from har_demo.errors import ChoiceError, WeightsError
from har_demo.prompts import answer, catalogue, clip_prompts, heatmap, online

PROMPTS = ("waving with both hands", "sitting down")


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path / "checkpoints"))
    catalogue.forget()
    yield
    catalogue.forget()


def learn(model: str, seed: int = 0, folder=None) -> clip_prompts.ClipPrompts:
    """Write prompts with numbers of their own, as training does, and return them."""
    torch.manual_seed(seed)
    made = clip_prompts.around(catalogue.load(model, "cpu")).eval()
    with torch.no_grad():
        made.prompting.prompts.table.weight.normal_()
        made.logit_scale.fill_(3.0)
    file = (folder or storage.root()) / "prompts" / clip_prompts.file_name(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(made.state_dict(), file)
    return made


def test_without_a_file_the_transformer_is_refused_and_the_rest_answers(tiny, clip):
    with pytest.raises(ChoiceError, match="learn prompts around it"):
        answer.ask(clip, PROMPTS, tiny, "transformer")
    assert answer.ask(clip, PROMPTS, tiny).whole is None


@pytest.mark.parametrize("place", ["HAR_CACHE", "HAR_CHECKPOINTS"])
def test_with_its_file_it_compares_videos_and_prompts_as_they_were_learned(
    tiny, clip, place, tmp_path
):
    learned = learn(tiny, folder=tmp_path / place[4:].lower())
    found = answer.ask(clip, PROMPTS, tiny, "transformer")
    model = catalogue.load(tiny, "cpu")
    assert model.learned and model.provenance[-1].file == clip_prompts.file_name(tiny)
    text = clip_prompts.text_encoder(model)
    frames = answer.read_frames(clip, found.frames)
    with torch.no_grad():
        looks = model.look(model.preparation.pixels(frames))[None]
        wanted = (
            learned.videos(looks, looks)
            @ F.normalize(learned.texts(text, model.tokenize(PROMPTS)), dim=-1).T
        )
    assert found.pooling == "transformer"
    np.testing.assert_allclose(found.pooled, wanted[0].numpy(), atol=1e-4)
    assert found.temperature == pytest.approx(np.exp(-3.0), rel=1e-3)
    plain = answer.ask(clip, PROMPTS, tiny)  # by its own words, as without the file
    catalogue.forget()
    (tmp_path / place[4:].lower() / "prompts" / clip_prompts.file_name(tiny)).unlink()
    np.testing.assert_allclose(plain.pooled, answer.ask(clip, PROMPTS, tiny).pooled, atol=1e-6)


def test_what_was_learned_anew_answers_anew(tiny, clip):
    learn(tiny, seed=1)
    first = answer.ask(clip, PROMPTS, tiny, "transformer").pooled
    learn(tiny, seed=2)
    assert np.abs(answer.ask(clip, PROMPTS, tiny, "transformer").pooled - first).max() > 1e-3


def test_the_command_line_asks_it_and_heat_maps_stay(tiny, clip, tmp_path):
    learn(tiny)
    words = ["ask", str(clip.path), *PROMPTS]
    result = CliRunner().invoke(
        app, [*words, "--model", tiny, "--pooling", "transformer", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pooling"] == "transformer"
    model = catalogue.load(tiny, "cpu")
    pixels = model.preparation.pixels(answer.read_frames(clip, np.array([0])))
    values, kind = heatmap.cells(model, pixels, model.texts(PROMPTS)[0])
    assert kind == "similarity" and values.shape == (1, 4, 4)


def test_a_file_that_does_not_fit_is_said(tiny):
    learn(tiny)
    file = clip_prompts.here(tiny)
    save_file(clip_prompts.ClipPrompts(32, 64).state_dict(), file)  # of a wider model
    for _ in range(2):
        catalogue.forget()
        with pytest.raises(WeightsError, match=r"learned-tiny\.safetensors are damaged or not for"):
            catalogue.load(tiny, "cpu")
        file.write_bytes(b"not safetensors")


def test_the_list_of_models_says_which_have_learned_prompts(monkeypatch):
    monkeypatch.setattr(online, "here", lambda name: None)
    name = online.DEFAULT
    assert clip_prompts.here(name) is None
    assert "transformer" not in catalogue.card(name).sentence
    file = storage.root() / "prompts" / "learned-ViT-B-32-laion2b_s34b_b79k.safetensors"
    file.parent.mkdir(parents=True)
    file.touch()
    assert clip_prompts.here(name) == file
    assert f"{file.name} holds prompts learned around it" in catalogue.card(name).sentence
