"""What the Flow page draws and offers, without a browser or a server."""

import re
from dataclasses import replace

import numpy as np
import pytest

from har_demo.clips.ingest import ingest
from har_demo.errors import ChoiceError
from har_demo.flow import catalogue, learned
from har_demo.flow.look import look
from har_demo.interface import formatting
from har_demo.interface.pages.flow import callbacks as flow_running
from har_demo.interface.pages.flow.view import (
    FlowOnPage,
    _middle,
    _ticks,
    fastest,
    one_pair,
    two_streams,
    when,
)
from har_demo.labels import EVERYDAY
from har_demo.recognize import two_streams as streaming
from har_demo.recognize.prediction import Prediction, Times
from har_demo.recognize.two_streams import STREAMS, Fusable
from har_demo.weights import Provenance, hub
from tests.media import write
from tests.test_flow.conftest import moved, texture
from tests.test_interface.pressed import pressed
from tests.test_interface.test_pages.test_recognize.test_view import clip_named

SIDE = 96


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Stands still, then moves right, faster and faster."""
    frames = [texture(SIDE)] * 3
    for step in (1, 2, 3, 4):
        frames.append(moved(frames[-1], np.array([[1.0, 0.0, step], [0.0, 1.0, 0.0]])))
    return ingest(write(tmp_path_factory.mktemp("clips") / "<b>faster.mp4", frames, crf="12"))


@pytest.fixture(scope="module")
def on_page(clip):
    found = look(clip, ["dis", "farneback"])
    return FlowOnPage(found, clip.sha256, fastest(found, False), False)


def test_motion_over_time_goes_up_where_it_is_faster(on_page):
    html = when(on_page)
    lines = re.findall(r'<polyline class="c(\d)" points="([^"]+)"', html)
    assert [colour for colour, _ in lines] == ["1", "0"]
    dis = [float(point.split(",")[1]) for point in lines[1][1].split()]
    assert dis[0] > 95 and dis[3:] == sorted(dis[3:], reverse=True)
    assert len(re.findall(r"data-pair=", html)) == 6
    assert "<b>faster" not in html and "&lt;b&gt;faster" in html


def test_the_cameras_motion_is_named(on_page):
    without = replace(on_page, without_camera=True)
    assert "without the camera" in when(without) and "camera&#39;s included" in when(on_page)
    assert "Without the camera" in one_pair(without)


@pytest.fixture
def panned(on_page):
    """The camera moves most in the fourth pair, everything else in the second; the first method says so."""
    way = on_page.look.ways[0]
    of_camera, of_all = way.own_means * 0, way.means * 0
    of_camera[1], of_all[3] = 2.0, 5.0
    ways = (replace(way, means=of_all, own_means=of_camera), *on_page.look.ways[1:])
    return replace(on_page, pair=3, look=replace(on_page.look, ways=ways))


def test_headline_curve_and_pair_are_of_one_motion(panned):
    """With the camera's motion or without it, whichever the page shows."""
    (without,) = pressed(flow_running.take_off, panned, True)
    shown = without["answered"]
    for one, pair in ((panned, 3), (shown, 1)):
        html, moment = when(one), one.look.seconds()[pair]
        peak = min(
            re.findall(r'<polyline class="c0" points="([^"]+)"', html)[0].split(),
            key=lambda point: float(point.split(",")[1]),
        )
        first, end = one.look.seconds()[0], one.look.pairs[-1, 1] / one.look.clip.fps
        assert float(peak.split(",")[0]) / 1000 * (end - first) + first == pytest.approx(
            moment, abs=1e-3
        )
        assert f"Most moves at {formatting.seconds(moment)}<" in html
        assert fastest(one.look, one.without_camera) == one.pair == pair
    # A pair that the reader chose stays.
    (chosen,) = pressed(flow_running.take_off, replace(panned, pair=4), True)
    assert chosen["answered"].pair == 4


def test_moments_along_the_span_begin_at_no_negative_zero(on_page):
    for first in (0, 1, 3):
        pairs = on_page.look.pairs + first
        ticks = [one["text"] for one in _ticks(replace(on_page.look, pairs=pairs))]
        assert ticks and all(re.fullmatch(r"\d+(\.\d+)? s", one) for one in ticks)
        assert float(ticks[0][:-2]) >= pairs[0, 0] / on_page.look.clip.fps - 1e-6


def test_the_default_is_what_this_machine_computes_at_once(monkeypatch):
    """DIS, and the shipped network beside it on four cores or more; its time is told where it is long."""
    assert not learned.at_hand(catalogue.EMBEDDED)
    for threads, beside in ((1, ""), (2, ""), (4, catalogue.EMBEDDED)):
        monkeypatch.setattr("torch.get_num_threads", lambda count=threads: count)
        assert flow_running.first_beside() == beside
        method, second, told, *_ = flow_running.offer()
        assert (method["value"], second["value"]) == ("dis", beside)
        assert ("take about" in flow_running.about("raft-people", "")) == (not beside)
        assert "take about" not in told
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    assert "32 pairs of frames take about 8 seconds" in flow_running.about("raft-people", "dis")
    monkeypatch.setattr(learned, "at_hand", lambda name: "missing")
    monkeypatch.setattr("torch.get_num_threads", lambda: 16)
    assert flow_running.first_beside() == ""


def test_one_pair_shows_both_methods_and_where_they_differ(on_page):
    html = one_pair(replace(on_page, pair=5))
    assert html.count('class="wipe"') == 2 and "Where they differ" in html
    assert re.search(r"takes [\d.]+ times as long as", html)
    assert "6 of 6" in html and html.count("disabled") == 1
    before, after = re.search(
        r"as it is, ([\d.]+) grey.*?</b> ([\d.]+) grey levels; yellow", html, re.S
    ).groups()
    assert float(after) < 0.5 * float(before)


def test_the_frame_covers_half_of_what_moves():
    lengths = np.zeros((4, 100))
    assert _middle(lengths) == 0.5
    lengths[:, 20:40] = 3
    assert _middle(lengths) == pytest.approx(0.3)


def test_a_still_clip_has_a_flat_line_and_says_so(clip):
    html = when(FlowOnPage(look(clip, ["dis"], seconds=0.08), "", 0, False))
    assert "Nothing moves here" in html and "Nothing moves in this span" in html


def test_stepping_and_reading_again_need_a_result():
    (update,) = pressed(flow_running.show_pair, None, event={"pair": 3})
    assert list(update) == ["notice"] and "press Show the motion first" in update["notice"]
    assert pressed(flow_running.take_off, None, True) == []
    (update,) = pressed(flow_running.make_files, None)
    assert "no flow yet" in update["notice"]


def test_a_pair_that_is_not_there_is_said(on_page):
    for wrong in (-1, 99, "2", None):
        (update,) = pressed(flow_running.show_pair, on_page, event={"pair": wrong})
        assert "no such pair" in update["notice"]


def test_fields_that_have_gone_are_said(on_page):
    gone = replace(on_page, look=replace(on_page.look, folder=on_page.look.folder / "gone"))
    (update,) = pressed(flow_running.take_off, gone, True)
    assert "compute it again" in update["notice"]


def test_networks_are_offered_only_with_their_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    names = [one.name for one in catalogue.offered()]
    assert "dis" in names and not {"raft-people", "raft-small", "flownet-s"} & set(names)
    file = learned.shipped_file(learned.LEARNED["raft-people"])
    file.parent.mkdir()
    file.write_bytes(b"weights")
    assert "raft-people" in [one.name for one in catalogue.offered()]
    assert set(catalogue.IDEAS) == {one.name for one in catalogue.methods()}


def test_a_download_is_announced_with_its_size(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HAR_CACHE", str(tmp_path))
    assert not hub.offline()
    html = flow_running.about("raft-large", "dis")
    assert "21 MB, are fetched from download.pytorch.org at the first press" in html
    assert "Looks for small patches" in html and "pixels off on FlyingChairs" in html
    labels = [flow_running._label(one) for one in catalogue.offered()]
    assert "RAFT (fetches 21 MB)" in labels and "DIS" in labels


def answer(model, probabilities, flow="", note=""):
    scores = np.zeros((1, len(EVERYDAY)), np.float32)
    scores[0, : len(probabilities)] = probabilities
    return Prediction(
        model=model,
        title=model,
        label_set="Everyday 39",
        classes=EVERYDAY,
        scores=scores,
        frames=np.zeros((1, 2), np.int64),
        crops=np.zeros((1, 4), np.int64),
        fps=25,
        times=Times(1, 2, 3),
        device="cpu",
        provenance=Provenance("shipped", "file", "ab" * 32),
        note=note,
        flow=flow,
    )


@pytest.fixture
def both():
    return Fusable(
        clip_named(),
        STREAMS["lab"],
        answer("spatial_stream_lab", (0.9, 0.1)),
        answer("temporal_stream_lab", (0.2, 0.8), "DIS"),
    )


def bars(html, part):
    return re.findall(rf"stream-bar {part}.*?<em>([^<]+)</em>", html, re.S)


def test_two_streams_are_drawn_beside_their_fusion(both):
    html = two_streams(both, 0.5)
    assert re.findall(r'class="bar-name">([^<]+)', html)[:2] == [EVERYDAY[0], EVERYDAY[1]]
    assert bars(html, "frame")[:2] == ["90 %", "10 %"]
    assert bars(html, "fused")[:2] == ["55 %", "45 %"]
    assert "trained on flow by" not in html
    assert "A change says" in html and "1 look at changes from frame to frame" in html
    of_frames = two_streams(replace(both, streams=STREAMS["i3d-lab"]), 0.5)
    assert "A frame says" in of_frames and "1 look at frames" in of_frames
    (update,) = pressed(flow_running.weigh, both, 1.0)
    assert bars(update["streams_panel"], "fused")[:2] == ["80 %", "20 %"]
    assert pressed(flow_running.weigh, None, 0.5) == []


def test_another_flow_is_warned_of_with_what_it_does(both):
    other = answer("temporal_stream_lab", (0.6, 0.4), "Farneback", "meant for DIS")
    html = two_streams(replace(both, other=other), 0.75)
    assert (
        "was trained on flow by DIS. On flow by Farneback it moves 40 % of its probability" in html
    )
    cells = re.findall(r"<td>([^<]+)</td>", html)
    assert cells[:4] == [EVERYDAY[1], "80 %", "40 %", EVERYDAY[0]]
    assert cells[4:] == [EVERYDAY[1], "62 %", "32 %", EVERYDAY[0]]


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({}, "No weights of a flow network are in this copy: train them with make train"),
        ({"i3d": "download"}, "fetch the public ones of I3D below. They see 64 frames"),
        ({"lab": "shipped", "i3d": "download"}, ""),
    ],
)
def test_missing_streams_are_said(monkeypatch, states, words):
    def state(streams):
        name = next(n for n, s in STREAMS.items() if s == streams)
        return streaming.Availability(states.get(name, "missing"), 5_000_000, "")

    monkeypatch.setattr(streaming, "state", state)
    *_, row, said = flow_running.offer()
    assert row["visible"] == bool(states)
    assert words in said and bool(words) == bool(said)


def test_an_empty_span_is_said():
    with pytest.raises(ChoiceError, match="start and the duration"):
        flow_running._number(None)
