"""CLIP is the default where it can be had; whoever answers in its place says so."""

import threading

import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.errors import WeightsError
from har_demo.prompts import answer, catalogue, default, online, search
from har_demo.prompts.default import default_model

CLIP = online.DEFAULT


@pytest.fixture(autouse=True)
def nothing_known():
    default.forget()
    yield
    default.forget()


@pytest.fixture
def asked(monkeypatch) -> list[bool]:
    """What the hub answers, one after the other; weights are not here."""
    answers: list[bool] = []
    monkeypatch.setattr(online, "here", lambda name: None)
    monkeypatch.setattr(online, "host", lambda: "huggingface.co")
    monkeypatch.setattr(online, "hub_answers", lambda: answers.pop(0))
    return answers


def known_again() -> None:
    """Wait until the hub has been asked."""
    default._inquiry.ended.wait(10)


def test_weights_that_are_here_are_enough(monkeypatch, tmp_path):
    monkeypatch.setattr(online, "here", lambda name: tmp_path)
    monkeypatch.setattr(online, "hub_answers", lambda: pytest.fail("the hub was asked"))
    found = default_model()
    assert (found.name, found.why) == (CLIP, "CLIP answers: its weights are here.")


def test_a_hub_that_answers_makes_clip_the_default(asked):
    asked.append(True)
    found = default_model()
    assert found.name == CLIP and "about 605 MB" in found.why and not found.replaces


def test_a_hub_that_does_not_answer(asked):
    asked.append(False)
    found = default_model()
    assert (found.name, found.why) == (
        "embedded",
        "The embedded recogniser answers, because huggingface.co does not answer.",
    )


def test_offline_the_hub_is_not_asked(asked, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    default.ask_hub()
    found = default_model()  # `asked` has no answer to give
    assert found.name == "embedded" and "HF_HUB_OFFLINE is set" in found.why


def test_the_hub_is_asked_once_and_again_after_a_while(asked, monkeypatch):
    asked.append(False)
    assert [default_model().name for _ in range(3)] == ["embedded"] * 3
    may_answer = threading.Event()
    monkeypatch.setattr(online, "hub_answers", lambda: may_answer.wait(60))
    default._inquiry.begun -= default.REMEMBER_SECONDS
    assert default_model().name == "embedded"  # the old answer, while the hub is asked again
    may_answer.set()
    known_again()
    assert default_model().name == CLIP


def test_the_start_waits_for_nobody(monkeypatch):
    hung_up = threading.Event()
    monkeypatch.setattr(online, "here", lambda name: None)
    monkeypatch.setattr(online, "hub_answers", lambda: hung_up.wait(60))
    monkeypatch.setattr(online, "ANSWER_SECONDS", 0.05)
    default.ask_hub()  # comes back at once
    assert default_model().name == "embedded"  # after ANSWER_SECONDS
    hung_up.set()
    known_again()
    assert default_model().name == CLIP


def test_where_fetching_fails_the_embedded_model_answers_and_says_so(clip, asked):
    """The hub answered a moment ago, and does not when the weights are wanted."""
    asked += [True, False]
    found = answer.ask(clip, ["waving"], frames=1)
    said = "The embedded recogniser answers, because CLIP's weights could not be fetched."
    assert found.model == "embedded" and found.notes[0] == said
    # Not tried again for a while, and said each time.
    again = search([clip], "waving", frames=1)
    assert again.model == "embedded" and again.notes[0] == said and asked == []
    # Who asks for it by name is told nothing about CLIP.
    named = answer.ask(clip, ["waving"], "embedded", frames=1)
    assert not any("CLIP" in note for note in named.notes)


def test_a_model_chosen_by_name_is_never_replaced(clip, asked):
    asked.append(False)
    with pytest.raises(WeightsError, match="does not answer"):
        answer.ask(clip, ["waving"], CLIP)
    assert default._failed < 0


def test_the_default_is_loaded_like_any_other(asked, monkeypatch, tiny):
    """None and 'default' give the model that the default names."""
    asked.append(True)
    monkeypatch.setattr(online, "load", lambda name, at: catalogue.embedded.load(at))
    catalogue.forget()
    assert catalogue.load(None, "cpu") is catalogue.load("default", "cpu")
    assert (CLIP, "cpu") in catalogue._kept
    catalogue.forget()


def test_the_command_says_which_model_answers_and_why(clip, asked):
    asked.append(False)
    words = ["ask", str(clip.path), "waving", "--frames", "1"]
    result = CliRunner().invoke(cli.app, words)
    assert result.exit_code == 0
    why = "The embedded recogniser answers, because huggingface.co does not answer."
    assert result.stdout.count(why) == 1
    named = CliRunner().invoke(cli.app, [*words, "--model", "embedded"])
    assert named.exit_code == 0 and why not in named.stdout
