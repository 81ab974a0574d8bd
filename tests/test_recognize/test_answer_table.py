"""Answers are kept as they were given, and shards become one table when none is missing or double."""

from dataclasses import replace

import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.recognize import answer_table, comparison
from har_demo.recognize.answer_table import merge, of_outcomes, read, write
from har_demo.recognize.shards import Shard, device_of, shard_of
from tests.evaluated import outcome

SHOWN = [("arid6", "park", "walking"), ("arid6", "park", "walking"), ("arid6", "lab", "running")]


def answered(part: Shard | None = None, model: str = "", refused: int | None = None):
    """Answers about three clips, the last one wrong; of a shard of them, or with one that was not read."""
    one = outcome(SHOWN, ["walking", "walking", "walking"])
    whole = {one.target.card.name: one.target.eval_set.clips}
    if part:
        (target,) = part.of([one.target])
        names = {clip.name for clip in target.eval_set.clips}
        rows = [n for n, clip in enumerate(one.clips) if clip.name in names]
        one = replace(one, target=target, clips=target.eval_set.clips, forwards=one.forwards[rows])
    if refused is not None:
        rows = [n for n in range(3) if n != refused]
        problem = (f"{refused}: This file is damaged.",)
        clips = tuple(one.clips[n] for n in rows)
        one = replace(one, clips=clips, forwards=one.forwards[rows], problems=problem)
    return of_outcomes([one], whole)


def test_rows_say_what_was_asked_and_answered():
    first, _, last = answered(refused=1).rows
    assert tuple(sorted(first)) == tuple(sorted(answer_table.COLUMNS))
    assert (first["clip"], first["group"], first["true"], first["predicted"]) == (
        "0", "park", "walking", "walking",
    )  # fmt: skip
    assert (last["true"], last["predicted"], last["weights"]) == ("running", "walking", "0f")
    unread = answered(refused=1).rows[1]
    assert (unread["scores"], unread["problem"]) == (None, "This file is damaged.")
    assert len(first["scores"]) == len(EVERYDAY) and first["code"]


def test_answers_come_back_from_parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="kept answers need pyarrow (extra [answers])")
    file, given = tmp_path / "a.parquet", answered(refused=1)
    write(file, given)
    again = read(file)
    assert (again.classes, again.clips, again.lists) == (given.classes, given.clips, given.lists)
    for one, other in zip(given.rows, again.rows, strict=True):
        plain = {k: v for k, v in one.items() if k != "scores"}
        assert plain == {k: v for k, v in other.items() if k != "scores"}
        if one["scores"] is not None:
            halved = np.asarray(one["scores"], np.float16).astype(np.float32)
            np.testing.assert_array_equal(other["scores"], halved)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
    (tmp_path / "b.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(ChoiceError, match=r"'b\.parquet' holds no kept answers"):
        read(tmp_path / "b.parquet")


def test_shards_have_every_clip_once():
    parts = [answered(Shard(k, 2)) for k in (1, 2)]
    assert [[row["clip"] for row in part.rows] for part in parts] == [["0", "2"], ["1"]]
    whole = merge(parts[::-1])
    assert [row["clip"] for row in whole.rows] == ["0", "1", "2"]
    assert comparison.figures(whole) == comparison.figures(answered())


def test_missing_double_and_foreign_shards_are_refused():
    one, two = (answered(Shard(k, 2)) for k in (1, 2))
    other = replace(two, lists={"c3d_lab": "of other clips"})
    heavier = replace(two, rows=tuple(row | {"weights": "1f"} for row in two.rows))
    renamed = replace(two, rows=tuple(row | {"clip": "9"} for row in two.rows))
    for parts, words in (
        ([one], "no row for 1 of 3 clips"),
        ([one, two, two], "answered twice about 1 clips, such as 1"),
        ([one, other], "different models or lists"),
        ([one, heavier], "different weights or views"),
        ([one, renamed], "are not those of its list"),
        ([], "nothing to merge"),
    ):
        with pytest.raises(ChoiceError, match=words):
            merge(parts)


def test_shards_by_hand_and_of_torchrun(tmp_path):
    assert shard_of("3/3") == Shard(3, 3) and shard_of(None, {"WORLD_SIZE": "1"}) is None
    assert shard_of("1/2", {"RANK": "3", "WORLD_SIZE": "4"}) == Shard(1, 2)
    assert Shard(2, 8).file(tmp_path / "a.parquet").name == "a-2of8.parquet"
    for words in ("0/2", "3/2", "1", "x/y", "1/999999", ""):
        with pytest.raises(ChoiceError, match="There is no shard"):
            shard_of(words)
    assert device_of("cpu").type == "cpu" and device_of("", {}) is None
    for words in ("tpu", "cuda:99"):
        with pytest.raises(ChoiceError, match="There is no device"):
            device_of(words)


def test_figures_have_intervals_and_what_guessing_gets():
    (row,) = comparison.figures(answered())
    assert set(row) == set(comparison.COLUMNS)
    assert (row["clips"], row["unread"], row["groups"], row["classes"]) == (3, 0, 2, 2)
    assert (row["top1"], row["guessing"]) == (66.67, 50)
    assert (row["low"], row["high"]) == (20.77, 93.85)  # Wilson, 2 of 3
    assert (row["group_low"], row["group_high"]) == (0, 100)
    (row,) = comparison.figures(answered(refused=2))
    assert (row["clips"], row["unread"], row["top1"]) == (2, 1, 100)
    assert "group_low" not in row  # one place says nothing of others


def test_models_are_compared_on_the_clips_that_both_read():
    one, two = answered(), answered(refused=0)
    rows = (*one.rows, *(row | {"model": "other"} for row in two.rows))
    both = replace(one, rows=rows, classes=one.classes | {"other": one.classes["c3d_lab"]})
    assert [(c.model, c.correct, c.apart) for c in comparison.compared(both, "arid6")] == [
        ("c3d_lab", 1, False),
        ("other", 1, False),
    ]
    with pytest.raises(ChoiceError, match="no clip in common"):
        comparison.compared(both, "weizmann")
