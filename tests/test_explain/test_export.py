"""What is said, drawn and written of a map is what the map holds; the command line gives the same."""

import io
import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from har_demo.cli import app
from har_demo.errors import ChoiceError
from har_demo.explain.activation import Activation, activation
from har_demo.explain.attention import AttentionSummary, attended, blocks, share_of
from har_demo.explain.export import (
    ExplainedClass,
    attention_words,
    explained_attention,
    explained_class,
    faithfulness_words,
    function_rows,
)
from har_demo.explain.faithfulness import Faithfulness
from har_demo.explain.look import ForwardTrace, look
from har_demo.explain.picture import (
    TILE,
    activation_picture,
    cell_of,
    colours,
    frame_of,
    frames_asking,
)

MODEL = "mfnet_pnl_lab"


@pytest.fixture(scope="module")
def one(waving) -> ForwardTrace:
    return look(waving, MODEL)


def _run(*arguments):
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_cells_and_frames_fit_each_other():
    for cells, frames in ((2, 16), (8, 16), (16, 16), (4, 10), (1, 3)):
        held = [cell_of(frame, frames, cells) for frame in range(frames)]
        assert held == sorted(held) and held[0] == 0 and held[-1] == cells - 1
        assert all(cell_of(frame_of(cell, cells, frames), frames, cells) == cell for cell in held)


def test_the_moment_that_asks_is_marked_and_nothing_else():
    assert frames_asking(1, 4, 16) == [4, 5, 6, 7]
    assert frames_asking(0, 1, 16) == [8]  # a query from the centre frame


def test_colours_say_how_much_and_which_side():
    plain = colours(np.array([[[0.0, 0.5, 1.0]]]))
    assert plain.shape == (1, 1, 3, 4) and plain.dtype == np.uint8
    assert plain[0, 0, 0, 3] == 0 and plain[0, 0, 1, 3] < plain[0, 0, 2, 3]
    below, nothing, above = colours(np.array([[[-1.0, 0.0, 1.0]]]))[0, 0]
    assert below[2] > below[0] and above[0] > above[2] and nothing[3] == 0


def test_a_picture_has_flat_cells_where_the_map_has_them(one):
    values = np.zeros((2, 2, 2), np.float32)
    values[1, 0, 1] = 1  # later half, above, right
    drawn = activation_picture(one, Activation("by hand", 0, "layer", values)).astype(int)
    bare = activation_picture(one, Activation("by hand", 0, "layer", values * 0)).astype(int)
    changed = np.abs(drawn - bare).sum(axis=-1) > 30
    tall = round(TILE * one.pictures.shape[1] / one.pictures.shape[2])
    top = 14 + 24 + tall  # the second row of frames is the later half
    assert not changed[:top].any()
    corner = changed[top : top + tall, 14 : 14 + TILE]
    assert corner[4 : tall // 2 - 4, TILE // 2 + 4 : TILE - 4].mean() > 0.95
    assert not corner[:, : TILE // 2 - 2].any() and not corner[tall // 2 + 2 :].any()


def test_files_hold_the_map(one):
    said = explained_attention(one, (10, 10, 3), lines=4)
    held = np.load(io.BytesIO(said.npz()))
    for number, level in enumerate(said.result.levels):
        assert np.array_equal(held[f"level_{number}"], level)
    assert held["model"] == MODEL and held["frames"].tolist() == one.frames.tolist()
    drawn = cv2.imdecode(np.frombuffer(said.png(), np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape[1] > 8 * TILE
    told = json.loads(json.dumps(said.json()))
    assert told["query"] == list(said.result.cell) and told["words"] == said.words
    assert len(told["strongest"]) <= 4

    found = explained_class(one)
    assert np.array_equal(np.load(io.BytesIO(found.npz()))["values"], found.result.values)
    told = json.loads(json.dumps(found.json()))
    assert np.array(told["values"]) == pytest.approx(found.result.values, abs=1e-5)
    assert told["faithfulness"] is None and told["class"] == one.top(1)[0][0]


def test_independence_is_put_into_words(one):
    (of,) = blocks(one)
    found = attended(one, of, (0.5, 0.5, 0.5))
    scores = explained_attention(one, (10, 10, 3)).scores
    for value, words in ((0.99, "the query makes no difference"), (0.8, "much the same places")):
        assert words in " ".join(
            attention_words(found, scores, AttentionSummary(196, 1.0, value, ()))
        )
    assert "The query matters" in " ".join(
        attention_words(found, scores, AttentionSummary(196, 1.0, 0.2, ()))
    )


def test_trust_is_put_into_words(one):
    def curves(deletion, insertion):
        flat = np.array([0.5, 0.5])
        line = np.full(2, 1.0)
        return Faithfulness(np.array([0.0, 1.0]), deletion * line, insertion * line, flat, flat, 8)

    assert "found what counts" in faithfulness_words(curves(0.1, 0.9), 0.1)[0]
    assert "do not trust" in faithfulness_words(curves(0.9, 0.1), None)[0]
    assert "disagree" in faithfulness_words(curves(0.1, 0.1), None)[0]
    assert "as it should be" in faithfulness_words(curves(0.1, 0.9), 0.1)[1]
    assert "stays much as it is" in faithfulness_words(curves(0.1, 0.9), 0.9)[1]
    empty = ExplainedClass(one, Activation("grad-cam", 0, "l", np.zeros((2, 2, 2), np.float32)))
    assert "The map is empty" in empty.words[0]


def test_four_rows_for_four_functions(one):
    said = explained_attention(one, (10, 10, 3))
    rows = function_rows(one, said.result, said.at, None)
    assert [row["own"] for row in rows] == [False, True, False, False]
    assert rows[1]["elsewhere"] == 0 and all(0 <= row["elsewhere"] <= 1 for row in rows)


def test_the_command_writes_what_the_engine_says(wave_file, waving, one, tmp_path):
    out, array = tmp_path / "map.png", tmp_path / "map.npz"
    done = _run(wave_file, "--model", MODEL, "--at", "20,30,3", "--out", out, "--array", array)
    assert done.exit_code == 0, done.output
    said = explained_attention(one, (20, 30, 3))
    assert said.title in done.output and said.words[0] in done.output
    assert np.array_equal(np.load(array)["level_0"], said.result.levels[0])
    assert cv2.imread(str(out)) is not None

    done = _run(wave_file, "--model", "tsm_lab", "--class", "clapping", "--json")
    told = json.loads(done.output)
    found = activation(look(waving, "tsm_lab"), 17)
    assert told["class"] == "clapping" and told["layer"] == found.layer
    assert np.array(told["values"]) == pytest.approx(found.values, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "no_such"], "There is no model named"),
        (["--model", MODEL, "--at", "1,2"], "A place is x,y,frame"),
        (["--model", MODEL, "--at", "a,b,c"], "A place is x,y,frame"),
        (["--model", MODEL, "--at", "9999,2,0"], "choose a point in there"),
        (["--model", MODEL, "--at", "2,2,16"], "sampled frames 0 to 15"),
        (["--model", MODEL, "--at", "2,2,0", "--trust"], "go without --at"),
        (["--model", MODEL, "--head", "0"], "need a place: add --at"),
        (["--model", MODEL, "--at", "2,2,0", "--block", "x"], "no block 'x'"),
        (["--model", MODEL, "--class", "wav"], "did you mean waving one hand or waving both hands"),
        (["--model", MODEL, "--class", "zzzz"], "it knows Everyday 39"),
        (["--model", MODEL, "--method", "magic"], "choose grad-cam"),
        (["--model", MODEL, "--method", "rollout"], "no rollout"),
        (["--model", MODEL, "--out", "/no/such/folder/a.png"], "cannot be written"),
        (["--model", "c3d_lab", "--at", "2,2,0"], "no attention between places"),
        (["--model", "mfnet_pnl_x5", "--at", "2,2,0"], "MFNet-PNL"),
    ],
)
def test_mistakes_are_one_sentence(wave_file, arguments, sentence):
    done = _run(wave_file, *arguments)
    assert done.exit_code == 2
    assert sentence in " ".join(done.output.split())


def test_a_place_is_in_pixels_of_the_given_file(one):
    source = one.clip.source
    assert share_of(one, source.width / 2, source.height / 2, 0)[1:] == pytest.approx(
        (0.5, 0.5), abs=0.01
    )


def test_a_wrong_class_names_those_that_look_like_it(one):
    with pytest.raises(ChoiceError, match="did you mean jumping jack or jumping"):
        explained_class(one, "jump")
