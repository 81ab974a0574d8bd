import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import crop_boxes, differences, transform
from har_demo.errors import BROKEN, ChoiceError, InternalError, WeightsError
from har_demo.flow.views import as_input, fields, step_fields
from har_demo.recognize import inputs, seen
from har_demo.recognize import recognize as engine
from har_demo.recognize.export import as_json
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.recognize.seen import see_again


def plainly(clip, zoo, prediction, crops=1):
    """The same scores the slow way: every window read, transformed and scored by itself."""
    card = zoo.cards[prediction.model]
    scores = []
    spec = card.input
    for window in prediction.frames:
        given, frames = [], read_frames(clip, window)
        if spec.modality != "flow":
            given.append(transform(frames[list(spec.pictures)], spec, crops))
        if spec.modality == "difference":
            given[0] = differences(given[0])
        if "flow" in spec.modality:
            places = np.arange(len(window))
            pairs = np.stack([places[:-1], places[1:]], 1)
            scale = prediction.stride / np.diff(window)
            given.append(as_input(fields(frames, pairs, scale, spec, crops), spec.flow_limit))
        with torch.no_grad():
            logits = zoo.networks[card.name](*(x.transpose(1, 2) for x in given))
        scores.append(logits.softmax(dim=1).mean(dim=0).numpy())
    return np.stack(scores)


@pytest.fixture
def reads(monkeypatch) -> list[np.ndarray]:
    """The indices of every call of read_frames."""
    calls = []

    def counted(clip, indices):
        calls.append(indices)
        return read_frames(clip, indices)

    for module in (engine, inputs):
        monkeypatch.setattr(module, "read_frames", counted)
    return calls


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("modality", ["rgb", "difference"])
def test_scores_are_those_of_every_window_by_itself(zoo, clip, modality, crops):
    zoo.add("one", modality=modality)
    (answer,) = recognize(clip, [Request("one", windows=6, crops=crops)])
    assert answer.scores.shape == (6, 4) and answer.scores.dtype == np.float32
    np.testing.assert_allclose(
        answer.scores, plainly(clip, zoo, answer, crops), atol=1e-5, rtol=1e-4
    )
    assert np.ptp(answer.scores, axis=0).max() > 0.01, (
        "the windows must differ for this to say much"
    )
    spec = zoo.cards["one"].input
    assert (answer.crops == crop_boxes(spec, clip.width, clip.height, crops)).all()
    assert answer.stride == 2.0 and answer.fps == 25.0 and answer.device == "cpu"
    assert answer.provenance.file == "one.safetensors"


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("both", [False, True], ids=["flow", "rgb+flow"])
def test_models_of_flow_are_given_flow(zoo, clip, both, crops):
    zoo.add_two_stream("one") if both else zoo.add_flow("one")
    (answer,) = recognize(clip, [Request("one", windows=6, crops=crops)])
    expected = plainly(clip, zoo, answer, crops)
    np.testing.assert_allclose(answer.scores, expected, atol=1e-5, rtol=1e-4)
    assert np.ptp(answer.scores, axis=0).max() > 0.01
    assert answer.flow == "DIS" and answer.note == ""
    assert 0 < answer.times.flow <= answer.times.transform
    assert as_json(clip, [answer])["predictions"][0]["flow"] == "DIS"


def test_flow_of_a_stride_that_is_no_whole_number_is_even(zoo, clip):
    zoo.add_flow("one", fps=10.0)
    (answer,) = recognize(clip, [Request("one", windows=3)])
    assert answer.stride == 2.5 and set(np.diff(answer.frames).ravel()) == {2, 3}
    np.testing.assert_allclose(answer.scores, plainly(clip, zoo, answer), atol=1e-5, rtol=1e-4)


def test_flow_is_computed_once_for_all_models_and_by_pieces(zoo, clip, reads, monkeypatch):
    zoo.add_flow("one")
    zoo.add_flow("other", fps=25.0)
    zoo.add_flow("same")
    zoo.add_two_stream("both", frames=4, fields=4)
    questions = [Request(name, windows=8) for name in ("one", "other", "same", "both")]
    counts = []

    def counted(frames, numbers, steps, *rest):
        counts.append(len(steps))
        return step_fields(frames, numbers, steps, *rest)

    monkeypatch.setattr(inputs, "step_fields", counted)
    whole = list(recognize(clip, questions))
    assert len(counts) == 2 and len(reads) == 1
    assert whole[2].times.flow < 0.2 * whole[0].times.flow

    monkeypatch.setattr(engine, "FRAME_BUDGET", 24 * 2 * clip.width * clip.height * 3)
    reads.clear()
    pieces = list(recognize(clip, questions))
    assert len(reads) > 2 and max(len(indices) for indices in reads) <= 24
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(a.scores, b.scores, atol=1e-5, rtol=1e-4)


def test_strips_of_several_models_come_from_the_frames_already_read(zoo, clip, reads, monkeypatch):
    zoo.add_flow("flowing")
    zoo.add_two_stream("both", frames=4, fields=4)
    requests = [
        Request(name, windows=6, crops=3) for name in ("first", "second", "flowing", "both")
    ]
    computed = []

    def counted(*given):
        computed.append(1)
        return step_fields(*given)

    monkeypatch.setattr(inputs, "step_fields", counted)
    answers = list(recognize(clip, requests, seen=True))
    assert len(reads) == 1 and len(computed) == 1
    for request, answer in zip(requests, answers, strict=True):
        assert answer.seen.window == answer.best_window
        assert_same_pictures(answer.seen, see_again(clip, plan(clip, request), answer.best_window))
    assert len(reads) == 1 + len(answers)
    assert all(answer.seen is None for answer in recognize(clip, requests))


def assert_same_pictures(one, other):
    assert (one.window, one.given_count) == (other.window, other.given_count)
    for name in ("frames", "filmed", "given"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_few_pictures_are_kept_of_a_clip_read_in_pieces(zoo, clip, reads, monkeypatch):
    monkeypatch.setattr(engine, "FRAME_BUDGET", 24 * 2 * clip.width * clip.height * 3)
    sizes, keep = [], seen.keep_candidates

    def watched(*given):
        sizes.append(keep(*given))
        return sizes[-1]

    monkeypatch.setattr(engine, "keep_candidates", watched)
    (answer,) = recognize(clip, [Request("second", windows=30)], seen=True)
    assert len(reads) == len(sizes) > 3
    assert max(map(len, sizes)) <= seen.CANDIDATES and len(sizes[-1]) == 1
    again = see_again(clip, plan(clip, Request("second", windows=30)), answer.best_window)
    assert_same_pictures(answer.seen, again)


def test_progress_speaks_of_flow(zoo, clip):
    zoo.add_flow("one")
    heard = []
    list(recognize(clip, [Request("one", windows=2)], lambda *words: heard.append(words)))
    assert "One: optical flow, 8 of 8 fields" in [sentence for _, sentence in heard]
    assert heard[-1][0] == 1 and heard == sorted(heard, key=lambda words: words[0])


def test_weights_trained_on_another_flow_say_so(zoo, clip):
    card = zoo.add_flow("one")
    zoo.cards["one"] = replace(card, input=replace(card.input, flow_method="TV-L1"))
    one, first = recognize(clip, [Request("one", windows=1), Request("first")])
    assert one.flow == "DIS" and "flow of TV-L1 and was given that of DIS" in one.note
    assert first.flow == "" and first.note == ""


def test_a_short_clip_stands_still_at_its_end(zoo, short_clip):
    zoo.add_flow("one")
    (answer,) = recognize(short_clip, [Request("one", frames=16)])
    assert "only 3 frames" in answer.note and answer.scores.shape == (1, 4)


def test_chunks_change_nothing_but_the_memory(zoo, clip, reads, monkeypatch):
    zoo.add("moving", modality="difference")
    questions = [Request("first", windows=9), Request("moving", windows=20, crops=3)]
    whole = list(recognize(clip, questions))
    assert len(reads) == 1

    frame = clip.width * clip.height * 3
    monkeypatch.setattr(engine, "FRAME_BUDGET", 24 * 2 * frame)
    reads.clear()
    pieces = list(recognize(clip, questions))
    assert len(reads) > 3
    assert max(len(indices) for indices in reads) <= 24
    for a, b in zip(whole, pieces, strict=True):
        assert a.model == b.model
        np.testing.assert_allclose(a.scores, b.scores, atol=1e-5, rtol=1e-4)
        assert (a.frames == b.frames).all()


def test_frames_are_read_once_for_all_models(zoo, clip, reads):
    answers = list(recognize(clip, [Request("first"), Request("second"), Request("first", 8)]))
    assert len(reads) == 1
    union = sorted(set(np.concatenate([a.frames.ravel() for a in answers]).tolist()))
    assert reads[0].tolist() == union


def test_models_that_want_the_same_input_share_it(zoo, clip, monkeypatch):
    zoo.add("third")  # takes what "first" takes; "second" is of another rate
    counts = []

    def counted(frames, *rest):
        counts.append(len(frames))
        return transform(frames, *rest)

    monkeypatch.setattr(inputs, "transform", counted)
    first, third, second = recognize(clip, [Request("first"), Request("third"), Request("second")])
    assert sum(counts) == len(np.unique(first.frames)) + len(np.unique(second.frames))
    np.testing.assert_allclose(third.scores, plainly(clip, zoo, third), atol=1e-5, rtol=1e-4)
    np.testing.assert_allclose(second.scores, plainly(clip, zoo, second), atol=1e-5, rtol=1e-4)


def test_answers_stream_in_the_order_of_the_questions(zoo, clip):
    answers = recognize(clip, [Request("second"), Request("first")])
    assert next(answers).model == "second"
    assert zoo.loads == ["second"], "the second model must not be touched before the first answers"
    assert next(answers).model == "first"
    assert next(answers, None) is None


def test_answers_keep_their_order_when_a_later_one_is_ready_first(zoo, clip, reads, monkeypatch):
    monkeypatch.setattr(engine, "FRAME_BUDGET", 24 * 2 * clip.width * clip.height * 3)
    # Only the first question needs the last piece of the clip.
    questions = [
        Request("first", windows=9),
        Request("second", windows=1),
        Request("bare", windows=1),
    ]
    answers = list(recognize(clip, questions))
    assert len(reads) > 1
    assert [answer.model for answer in answers] == ["first", "second", "bare"]
    np.testing.assert_allclose(
        answers[1].scores, plainly(clip, zoo, answers[1]), atol=1e-5, rtol=1e-4
    )


def test_progress_rises_to_one_and_speaks_of_windows(zoo, clip):
    heard = []
    list(
        recognize(
            clip,
            [Request("first", windows=70), Request("second")],
            lambda fraction, sentence: heard.append((fraction, sentence)),
        )
    )
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    sentences = [sentence for _, sentence in heard]
    assert "First: 4 of 70 windows" in sentences and "Second: 10 of 10 windows" in sentences
    assert "First: loading weights" in sentences


def test_a_model_without_weights_leaves_the_others_their_answers(zoo, clip):
    first, refusal, second = recognize(clip, [Request("first"), Request("bare"), Request("second")])
    assert isinstance(first, Prediction) and isinstance(second, Prediction)
    assert refusal == ModelError(
        "bare", "Bare", "weights of Bare (3 MB) are not here and cannot be fetched."
    )


class Failing(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


@pytest.mark.parametrize(
    ("error", "frames", "words"),
    [
        (
            RuntimeError("input is smaller than kernel\nand more"),
            None,
            "Something broke on our side, not yours",
        ),
        (
            RuntimeError("input is smaller than kernel"),
            8,
            "cannot take 8 frames per window: try its own 4",
        ),
        (torch.OutOfMemoryError("CUDA out of memory"), None, "more memory than is free"),
    ],
    ids=["any", "other frames", "memory"],
)
def test_a_network_that_fails_is_refused_and_the_others_go_on(
    zoo, clip, error, frames, words, caplog
):
    zoo.add("failing", Failing(error))
    refusal, answer = recognize(clip, [Request("failing", frames), Request("first")])
    assert isinstance(answer, Prediction)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(refusal.message)
    assert "\n" not in refusal.message
    assert refusal.internal == (refusal.message == BROKEN)
    assert isinstance(refusal.as_error(), InternalError if refusal.internal else WeightsError)
    assert str(error).splitlines()[0] in caplog.text or "memory" in words


def test_weights_that_give_nonsense_are_refused(zoo, clip):
    wrong, broken = nn.Sequential(zoo.networks["first"], nn.Linear(4, 9)), nn.Module()
    broken.forward = lambda x: torch.full((len(x), 4), float("nan"))
    zoo.add("wrong", wrong)
    zoo.add("broken", broken)
    one, two = recognize(clip, [Request("wrong"), Request("broken")])
    assert "9 scores for 4 classes" in one.message
    assert "not numbers" in two.message


def test_out_of_memory_halves_the_batch_of_a_network(zoo, clip):
    tiny, batches = zoo.networks["first"], []

    class Small(nn.Module):
        def forward(self, x):
            batches.append(len(x))
            if len(x) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return tiny(x)

    zoo.add("small", Small())
    small, first = recognize(clip, [Request("small", windows=7), Request("first", windows=7)])
    assert batches == [4, 2, 2, 2, 1]
    np.testing.assert_allclose(small.scores, first.scores, atol=1e-5, rtol=1e-4)


def test_a_short_clip_is_answered_with_a_note(zoo, short_clip):
    (answer,) = recognize(short_clip, [Request("first", frames=16)])
    assert answer.distinct_frames == 2  # stride 2 of three frames
    assert "only 3 frames" in answer.note


def test_times_are_taken_for_every_stage(zoo, clip):
    (answer,) = recognize(clip, [Request("first")])
    assert min(answer.times.decode, answer.times.transform, answer.times.forward) > 0


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        ([], "at least one"),
        ([Request("first"), Request("third")], "third"),
        ([Request("first"), Request("second", frames=0)], "frames per window"),
    ],
    ids=["no model", "unknown model", "no frames"],
)
def test_bad_questions_fail_before_anything_is_read(zoo, clip, reads, questions, words):
    with pytest.raises(ChoiceError, match=words):
        recognize(clip, questions)  # not iterated
    assert not reads and not zoo.loads


def test_two_users_at_once_get_what_each_alone_would(zoo, clip):
    def ask(question, into):
        for _ in range(3):
            into.extend(recognize(clip, question))

    questions = [
        [Request("first", windows=12), Request("second")],
        [Request("second", crops=3), Request("first", frames=7)],
    ]
    alone = [list(recognize(clip, q)) for q in questions]
    together = [[], []]
    users = [
        threading.Thread(target=ask, args=pair) for pair in zip(questions, together, strict=True)
    ]
    for user in users:
        user.start()
    for user in users:
        user.join()
    for expected, answers in zip(alone, together, strict=True):
        assert len(answers) == 6
        for answer, one in zip(answers, expected * 3, strict=True):
            assert answer.model == one.model
            np.testing.assert_allclose(answer.scores, one.scores, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(192, 144), (604, 340), (340, 604)], ids=str)
def test_the_budget_holds_for_decoded_and_transformed_frames(zoo, clip, size):
    big = replace(clip, width=size[0], height=size[1])
    plans = [plan(big, Request("first", crops=3)), plan(big, Request("second"))]
    count = engine.most_frames(big, plans)
    decoded, transformed = size[0] * size[1] * 3, 3 * 3 * 32 * 32 * 4
    assert count * (decoded + max(decoded, transformed)) <= 256 * 2**20
    assert count > 200
