"""Kinetics' actions in free text: what a sentence means of them, what is recognised, and how both are joined."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from har_demo.errors import InternalError, WeightsError
from har_demo.models.label_sets import KINETICS400
from har_demo.prompts import answer, catalogue, kinetics
from har_demo.prompts.answer import EncodedFrames, ask, embed_clip, embed_texts, similarities
from har_demo.prompts.kinetics import ActionNames, RecognisedActions
from har_demo.prompts.ranking import search
from har_demo.prompts.words import BACKGROUND, PLAIN
from har_demo.recognize.prediction import ModelError, Prediction, Times
from har_demo.weights import Provenance

PROMPTS = ("walking", "waving both hands", "cooking")
MISSING = "Kinetics' I3D is not among the evidence"
I3D_FILE = Provenance("cached", "i3d.safetensors", "cd" * 32)


def names(**changes) -> ActionNames:
    """Two actions along two axes of a plane."""
    settings = {"sharpness": 0.5, "width": 0.1, "strength": 2.0, "temperature": 0.2, "none": 0.4}
    return ActionNames(torch.eye(2), **(settings | changes))


def prediction(scores: np.ndarray, frames: np.ndarray) -> Prediction:
    return Prediction(
        model="i3d",
        title="I3D (RGB)",
        label_set="Kinetics-400",
        classes=KINETICS400,
        scores=np.float32(scores),
        frames=frames,
        crops=np.array([[0, 0, 4, 4]]),
        fps=25.0,
        times=Times(0, 0, 0),
        device="cpu",
        provenance=I3D_FILE,
    )


def recognised(probabilities: np.ndarray) -> RecognisedActions:
    """What I3D recognises at moments of a clip, one window each."""
    shown = np.arange(len(probabilities))[:, None]
    return RecognisedActions(
        torch.from_numpy(np.float32(probabilities)), prediction(probabilities, shown)
    )


def test_what_a_sentence_means_adds_up_to_one():
    sentences = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [-1.0, -1.0], [3.0, 4.0]]), dim=1)
    meant = names().meant(sentences)
    assert meant.sum(dim=1).tolist() == pytest.approx([1] * 4)
    odds = np.exp((1 - 0) / 0.1)
    assert meant[0].tolist() == pytest.approx([odds / (1 + odds), 1 / (1 + odds)])
    assert meant[1].tolist() == meant[2].tolist() == pytest.approx([0.5, 0.5])
    assert float(meant[3, 1] / meant[3, 0]) == pytest.approx(np.exp(0.2 / 0.1), rel=1e-4)
    wider = names(width=1.0).meant(sentences)
    assert wider[0, 1] > meant[0, 1]


def test_softened_probabilities_add_up_and_keep_their_order():
    probabilities = torch.tensor([[0.81, 0.16, 0.03, 0.0], [0.25, 0.25, 0.25, 0.25]])
    soft = names(sharpness=0.5).softened(probabilities)
    assert soft.sum(dim=-1).tolist() == pytest.approx([1, 1])
    assert float(soft[0, 0] / soft[0, 1]) == pytest.approx(0.9 / 0.4, rel=1e-5)
    assert soft[0].tolist() == sorted(soft[0].tolist(), reverse=True) and soft[0, 3] < 1e-5
    assert soft[1].tolist() == pytest.approx([0.25] * 4)
    same = names(sharpness=1.0).softened(probabilities)
    assert torch.allclose(same, probabilities, atol=1e-6)


def test_a_sentence_that_is_an_actions_name_means_it_most():
    shipped, model = kinetics.load(), catalogue.load("embedded", "cpu")
    assert shipped.vectors.shape == (400, 384)
    assert shipped.vectors.norm(dim=1).numpy() == pytest.approx(np.ones(400), abs=1e-3)
    meant = shipped.meant(embed_texts(model, KINETICS400, PLAIN))
    assert meant.sum(dim=1).numpy() == pytest.approx(np.ones(400), abs=1e-4)
    right = meant.argmax(dim=1) == torch.arange(400)
    assert right.float().mean() > 0.97
    other = {"an archer shoots arrows": "archery", "a cyclist on a bicycle": "biking through snow"}
    nearest = shipped.meant(embed_texts(model, list(other), PLAIN)).argmax(dim=1)
    found = [KINETICS400[i] for i in nearest]
    assert found[0] == "archery" and ("bik" in found[1] or "bicycle" in found[1])


def test_wordings_cover_the_400_names_in_their_order():
    wordings = kinetics.wordings()
    assert tuple(wordings) == tuple(KINETICS400)
    lines = kinetics.WORDINGS.read_text(encoding="utf-8").splitlines()
    assert [line.split(": ")[0] for line in lines] == sorted(KINETICS400, key=str.casefold)
    assert all(some[0] == name and len(some) >= 2 for name, some in wordings.items())
    flat = [text for some in wordings.values() for text in some]
    assert all(text.strip() == text != "" for text in flat)
    twice = {text for text in flat if flat.count(text) > 1}
    assert not twice


def test_the_nearest_window_speaks_for_a_moment(monkeypatch, clip):
    scores = np.zeros((3, 400), np.float32)
    scores[[0, 1, 2], [10, 20, 30]] = 1
    shown = np.arange(8) + np.array([[0], [16], [32]])  # their middles: 3.5, 19.5 and 35.5
    asked = []

    def recognize(clip, requests, on_progress, device, read):
        asked.extend(requests)
        on_progress(0.5, "half")
        yield prediction(scores, shown)

    monkeypatch.setattr(kinetics, "recognize", recognize)
    told = []
    found = kinetics.recognise_actions(clip, np.array([0, 11, 12, 20, 28, 49]), 3, told.append)
    assert found.probabilities.argmax(dim=1).tolist() == [10, 10, 20, 20, 30, 30]
    assert found.prediction.provenance == I3D_FILE
    assert [(one.model, one.windows, one.frames) for one in asked] == [("i3d", 3, None)]
    assert told == [0.5]


@pytest.mark.parametrize(
    ("internal", "error", "says"),
    [(False, WeightsError, "Its weights are damaged"), (True, InternalError, "on our side")],
)
def test_a_model_that_cannot_answer_is_an_error(monkeypatch, clip, internal, error, says):
    refused = ModelError("i3d", "I3D (RGB)", "Its weights are damaged.", internal)
    monkeypatch.setattr(kinetics, "recognize", lambda *given: iter([refused]))
    with pytest.raises(error, match=says):
        kinetics.recognise_actions(clip, np.array([0]))


def test_a_missing_file_of_names_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    kinetics.load.cache_clear()
    with pytest.raises(WeightsError, match=r"kinetics\.safetensors is missing"):
        kinetics.load()
    (tmp_path / "prompts").mkdir()
    (tmp_path / kinetics.FILE).write_bytes(b"no tensors")
    (tmp_path / "prompts" / "kinetics.json").write_text("{}")
    with pytest.raises(WeightsError, match="fetch checkpoints/ again"):
        kinetics.load()


def test_similarity_is_the_weighted_mean_of_both():
    model = replace(catalogue.load("embedded", "cpu"), actions=names())
    moments = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0]]), dim=1)
    sentences = torch.tensor([[0.0, 1.0]])
    seen = EncodedFrames(moments, None, recognised([[0.64, 0.36], [0.0, 1.0]]), np.arange(2), 0, 0)
    found = similarities(model, seen, sentences)
    meant = 1 / (1 + np.exp(-1 / 0.1))  # of the second action
    first = 2.0 * (0.8 / 1.4 * (1 - meant) + 0.6 / 1.4 * meant)
    sums = [first, np.sqrt(0.5) + 2.0 * meant]
    assert found[:, 0].tolist() == pytest.approx([one / 3.0 for one in sums], abs=1e-4)


def test_without_i3d_similarities_are_cosines():
    model = replace(catalogue.load("embedded", "cpu"), actions=names())
    moments = F.normalize(torch.randn(3, 2, generator=torch.manual_seed(0)), dim=1)
    sentences = torch.eye(2)
    bare = EncodedFrames(moments, None, None, np.arange(3), 0, 0)
    assert torch.equal(similarities(model, bare, sentences), moments)
    told = replace(bare, actions=recognised([[0.5, 0.5]] * 3))
    other = replace(model, actions=None)
    assert torch.equal(similarities(other, told, sentences), moments)


def test_the_answer_with_i3d(clip, small_i3d, monkeypatch):
    found = ask(clip, PROMPTS, "embedded", background=BACKGROUND, frames=4)
    shipped = kinetics.load()
    assert found.temperature == found.own == pytest.approx(shipped.temperature)
    assert found.provenance[-1].file == "small.safetensors" and len(found.provenance) == 5
    assert not any(MISSING in note for note in found.notes)
    assert found.title.endswith(", with I3D")
    assert (found.none_similarity >= np.float32(shipped.none)).all()
    model = catalogue.load("embedded")
    seen = embed_clip(clip, model, 4)
    sentences = embed_texts(model, PROMPTS, PLAIN)
    actions = seen.actions.probabilities
    wanted = (
        seen.moments @ sentences.T
        + shipped.strength * shipped.softened(actions) @ shipped.meant(sentences).T
    ) / (1 + shipped.strength)
    assert found.similarity == pytest.approx(wanted.numpy(), abs=1e-5)
    assert len(seen.actions.prediction.scores) == kinetics.WINDOWS
    shares = np.exp(np.append(found.pooled, found.none_pooled) / found.temperature)
    assert found.probabilities == pytest.approx(shares[:3] / shares.sum(), abs=1e-5)


def test_the_answer_without_i3d_says_what_is_missing(clip, bare_networks):
    found = ask(clip, PROMPTS, "embedded", frames=4)
    (note,) = [one for one in found.notes if MISSING in one]
    assert "har-demo weights --fetch i3d" in note
    assert found.temperature == pytest.approx(1 / catalogue.load("embedded").scale)
    assert len(found.provenance) == 4
    assert np.abs(found.similarity).max() <= 1.0001


def test_a_search_without_i3d_says_what_is_missing(clip, bare_networks):
    (note,) = search([clip], "archery", "embedded").notes
    assert MISSING in note


def test_weights_that_arrive_later_are_used(clip, bare_networks, monkeypatch, request):
    before = ask(clip, PROMPTS, "embedded", frames=4)
    looked = []

    def recognise(clip, moments, windows, *others):
        looked.append(windows)
        scores = np.zeros((len(moments), 400))
        scores[:, KINETICS400.index("cooking egg")] = 1
        return recognised(scores)

    monkeypatch.setattr(kinetics, "here", lambda: True)
    monkeypatch.setattr(kinetics, "recognise_actions", recognise)
    after = ask(clip, PROMPTS, "embedded", frames=4)
    assert after.provenance[-1] == I3D_FILE and after.times.image > 0
    gain = after.pooled - before.pooled
    assert gain.argmax() == 2
    assert after.pooled.argmax() == 2 and (np.abs(after.similarity) <= 1).all()
    ask(clip, ["sleeping"], "embedded", frames=4)
    assert looked == [kinetics.WINDOWS]  # kept for the next question


def test_other_models_are_never_helped(clip, tiny, small_i3d):
    found = ask(clip, PROMPTS, tiny, frames=4)
    assert len(found.provenance) == 1 and found.notes == ()
    assert embed_clip(clip, catalogue.load(tiny), 4).actions is None


def test_a_search_looks_at_one_window_of_each_clip(clip, bare_networks, monkeypatch):
    looked = []

    def recognise(clip, moments, windows, *others):
        looked.append(windows)
        scores = np.full((len(moments), 400), 1e-6)
        scores[:, KINETICS400.index("archery")] = 1
        return recognised(scores)

    monkeypatch.setattr(kinetics, "here", lambda: True)
    monkeypatch.setattr(kinetics, "recognise_actions", recognise)
    other = replace(clip, sha256="ab" * 32)
    found = search([clip, other], "archery", "embedded")
    assert looked == [1, 1] and not found.notes
    model = catalogue.load("embedded")
    seen = embed_clip(clip, model, 8, windows=1)
    wanted = similarities(model, seen, embed_texts(model, ["archery"], PLAIN)).mean()
    assert found.found[0].similarity == pytest.approx(float(wanted), abs=1e-5)
    bowling = search([clip], "bowling", "embedded").found[0]
    assert found.found[0].similarity > bowling.similarity + 0.1
    assert len(looked) == 2  # what was seen is kept for the next sentence


def test_the_card_says_whether_i3d_is_here(monkeypatch):
    assert "run `har-demo weights --fetch i3d`" in catalogue.card("embedded").sentence
    monkeypatch.setattr(kinetics, "here", lambda: True)
    assert "I3D (Kinetics-400) answers with it." in catalogue.card("embedded").sentence
    assert "400 actions of Kinetics" in catalogue.about("embedded")


@pytest.fixture(autouse=True)
def names_read_again():
    """No test's folder of checkpoints leaves its names behind."""
    yield
    kinetics.load.cache_clear()


@pytest.fixture(autouse=True)
def nothing_kept():
    answer.forget()
