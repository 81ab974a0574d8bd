"""An answer in words as HTML, and what is pressed afterwards, without a browser or a server."""

import re
from dataclasses import replace

import numpy as np
import pytest

from har_demo.errors import BROKEN
from har_demo.interface import stopping
from har_demo.interface.pages.prompts import callbacks as prompts_running
from har_demo.interface.pages.prompts import view as prompts_results
from har_demo.interface.pages.prompts.callbacks import fill_in, read_again, take_back
from har_demo.interface.pages.prompts.view import PromptsOnPage, answered_by, heat_shown, results
from har_demo.prompts import CLASS_LISTS, DEFAULT, DefaultModel, HeatMap, PromptAnswer, rescore
from har_demo.prompts.answer import AnswerTimes
from har_demo.prompts.image_text import Reading
from tests.test_interface.pressed import pressed
from tests.test_interface.test_pages.test_recognize.test_view import clip_named


def answer(similarity, none=None, **changed) -> PromptAnswer:
    """As `ask` would give it for these cosines [T, P] and those [T] of the background."""
    similarity = np.float32(similarity)
    prompts = tuple(f"prompt {n}" for n in range(similarity.shape[1]))
    frames = np.arange(len(similarity)) * 4
    made = PromptAnswer(
        model="embedded",
        title="Image-text model",
        prompts=prompts,
        readings=tuple(Reading(4, 77, one) for one in prompts),
        similarity=similarity,
        pooled=similarity.mean(axis=0),
        probabilities=similarity.mean(axis=0),
        none=None,
        none_similarity=None if none is None else np.float32(none),
        none_pooled=None,
        whole=None,
        below=False,
        frames=frames,
        fps=25,
        best=frames[similarity.argmax(axis=0)],
        pooling="mean",
        templates=("{}",),
        temperature=0.1,
        own=0.1,
        threshold=None,
        background=(),
        notes=(),
        times=AnswerTimes(1, 2, 3),
        device="cpu",
        provenance=(),
    )
    return replace(rescore(made), **changed)


def on_page(of: PromptAnswer) -> PromptsOnPage:
    return PromptsOnPage(clip_named(), "", of, ("data:,",) * len(of.frames))


def names(html: str) -> list[str]:
    return re.findall(r'class="bar-name" title="[^"]*">(?:<i[^>]*></i>)?([^<]+)', html)


def test_rows_are_the_likeliest_first_and_none_of_these_stands_among_them():
    html = results(on_page(answer([[0.1, 0.3], [0.1, 0.3]], none=[0.2, 0.2])))
    assert names(html) == ["prompt 1", "none of these", "prompt 0"]
    assert "none of these" not in names(results(on_page(answer([[0.1, 0.3]]))))


def test_the_headline_is_no_surer_than_the_answer():
    assert "&#39;prompt 1&#39; fits best" in results(on_page(answer([[-0.5, 0.5]])))
    assert "Not sure" in results(on_page(answer([[0.1, 0.1, 0.1]])))
    assert "None of these, most likely" in results(on_page(answer([[0.1, 0.1]], none=[0.9])))
    assert "100 % whatever the clip shows" in results(on_page(answer([[0.1]])))


def test_many_prompts_are_folded_away_and_none_of_these_is_not():
    many = answer(np.linspace(0.1, 0.3, 60)[None], none=[-0.9])
    html = results(on_page(many))
    shown, folded = html.split("52 more prompts")
    assert len(names(shown)) == 9 and len(names(folded)) == 52
    assert "none of these" in names(shown)
    assert html.count("<polyline") == prompts_results.LINES + 1


def test_a_line_goes_through_its_similarities():
    html = results(on_page(answer([[0.0, 0.2], [0.1, 0.1], [0.2, 0.0]])))
    rising = re.search(r'class="c[01]" points="([^"]+)"', html)[1]
    heights = [float(point.split(",")[1]) for point in rising.split()]
    assert heights in (sorted(heights), sorted(heights, reverse=True)) and len(heights) == 3
    assert all(0 < height < 100 for height in heights)


def test_one_moment_draws_a_level_line():
    points = re.search(r'points="([^"]+)"', results(on_page(answer([[0.1]]))))[1].split()
    assert len({point.split(",")[1] for point in points}) == 1 < len(points)


def test_words_of_strangers_are_escaped():
    bad = answer([[0.1, 0.2]], prompts=("<script>x</script>", "fine"), notes=("<b>note</b>",))
    html = results(on_page(bad))
    assert "<script>" not in html and "<b>note" not in html


def test_a_prompt_as_long_as_a_page_takes_no_page():
    long = "waving " * 280
    html = results(on_page(answer([[0.1, 0.2]], prompts=(long, "fine"))))
    assert html.count(long.strip()) == 2  # when pointed at, and in its link


def test_none_of_these_has_its_similarity_too():
    html = results(on_page(answer([[0.1], [0.1]], none=[0.2, 0.4])))
    assert 'likeness">0.30<' in html
    most = rescore(answer([[0.1], [0.1]], none=[0.2, 0.4]), "max")
    assert 'likeness">0.40<' in results(on_page(most))


def test_what_is_cut_is_said_beside_its_bar():
    html = results(on_page(answer([[0.1]], readings=(Reading(90, 77, "as far as here"),))))
    assert "read up to &#39;…as far as here&#39;" in html


def test_reading_again_needs_no_frame_and_no_model(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("asked again")

    for name in ("ask", "read_frames", "heat", "ready"):
        monkeypatch.setattr(prompts_running, name, forbidden)
    before = on_page(answer([[0.1, 0.3], [0.5, 0.3]]))
    (update,) = pressed(read_again, before, "max", 2.0)
    panel, who, after = update["panel"], update["who"], update["answered"]
    assert after.answer.pooled.tolist() == pytest.approx([0.5, 0.3])
    assert after.answer.temperature == pytest.approx(0.2)
    assert names(panel) == ["prompt 0", "prompt 1"]
    assert "the model&#39;s own" in answered_by(before) and "own" not in who.split("0.2")[1][:20]
    assert after.frames is before.frames and update["json_file"].endswith(".json")
    # Multiples are of the model's own temperature, not of the one before.
    (update,) = pressed(read_again, after, "max", 1.0)
    assert update["answered"].answer.temperature == pytest.approx(0.1)


def test_stop_ends_the_work_at_its_next_step(monkeypatch):
    reached = []

    def question(*args):
        job, *_ = args
        job.tell(0.1, "before")
        stopping.stop("visitor")
        job.tell(0.2, "after")
        reached.append("the end")

    monkeypatch.setattr(prompts_running, "question", question)
    monkeypatch.setattr(prompts_running, "ready", lambda *args: clip_named())
    given = (None, "a.mp4", "a cat", True, "embedded", "{}", "mean", 1.0)
    steps = []
    asking = prompts_running.ask_prompts("visitor", lambda share, desc: steps.append(desc), *given)
    with stopping.work("visitor"):
        assert list(asking) == []
    assert steps == ["before"] and not reached


def test_a_fault_of_ours_is_a_sentence_and_leaves_the_answer(monkeypatch):
    monkeypatch.setattr(prompts_running, "ready", lambda *args: 1 / 0)
    given = (None, "a.mp4", "a cat", True, "embedded", "{}", "mean", 1.0)
    (update,) = pressed(prompts_running.ask_prompts, *given)
    assert update.keys() == {"notice"} and BROKEN in update["notice"]


def test_every_model_is_described_before_it_is_asked():
    for card in prompts_running.image_text_models()[:5]:
        which, told = prompts_running.describe_model(card.name)
        assert f"{card.title} answers, as you chose." in which
        assert "Licence" in told and "MB" in told
        assert (f'href="{card.link}"' in told) is bool(card.link)
        ((title, name),) = prompts_running.model_choices([card])
        assert name == card.name and ("ready" in title or "MB" in title)
    assert "There is no image-text model" in prompts_running.describe_model("no/such")[1]


def test_the_page_says_which_model_is_the_default_and_why(monkeypatch):
    clip = DefaultModel("ViT-B-32/laion2b_s34b_b79k", "CLIP answers: its weights are here.")
    monkeypatch.setattr(prompts_running, "default_model", lambda: clip)
    which, told = prompts_running.describe_model(DEFAULT)
    assert clip.why in which and "605 MB" in told and "Licence: MIT" in told
    name, value = prompts_running.offer_models()["choices"][0]
    assert value == DEFAULT and "CLIP where it can be had" in name


def test_a_class_list_keeps_what_was_typed():
    filled, kept = fill_in("UCF101", "my own", "older")
    assert filled.splitlines() == list(CLASS_LISTS["UCF101"]) and kept == "my own"
    filled, kept = fill_in("Kinetics-400", filled, kept)
    assert kept == "my own" and take_back(filled, kept) == "my own"
    assert take_back("newer", kept) == "newer"


def test_a_heat_map_keeps_its_grid_and_says_what_it_means():
    frame = np.full((60, 80, 3), 200, np.uint8)
    found = HeatMap(
        "a cat",
        "embedded",
        np.float32([[[0, 1], [0, 0]]]),
        "similarity",
        np.array([5]),
        (10, 0, 70, 60),
        (80, 60),
    )
    html = heat_shown(found, frame, 25)
    assert "2 × 2 cells" in html and "frame at 0.2 s" in html
    assert "Motion counts" in html  # of this model alone
    assert "Motion counts" not in heat_shown(replace(found, model="RN50/openai"), frame, 25)
    of_i3d = heat_shown(replace(found, grid_of="I3D (RGB)"), frame, 25)
    assert "The last grid of I3D (RGB) has 2 × 2 cells" in of_i3d and "Motion counts" not in of_i3d
    assert "probability that the action recognised there" in of_i3d
    mixed = prompts_results._blend(frame, found.overlay()[0])
    assert (mixed[:, :10] == 70).all()  # where it does not look
    assert len(np.unique(mixed[:, 10:70].reshape(-1, 3), axis=0)) == 2
    assert "raise the similarity" in heat_shown(replace(found, kind="relevance"), frame, 25)
