"""Pictures show what networks really give out."""

import pytest

from har_demo.errors import ChoiceError
from har_demo.models.prompting import AROUND
from har_demo.profiling.shapes import lanes, prompting_lanes


def only(model: str) -> list[tuple[int, int, int]]:
    (lane,) = lanes(model)
    return [(volume.frames, volume.height, volume.channels) for volume in lane.volumes]


def test_c3d_is_the_table_of_the_lecture():
    assert only("c3d") == [
        (16, 112, 3), (16, 112, 64), (16, 56, 128), (8, 28, 256),
        (4, 14, 512), (2, 7, 512), (1, 4, 512), (1, 1, 4096),
    ]  # fmt: skip


def test_slow_fusion_joins_time_little_by_little():
    assert [frames for frames, height, _ in only("slow_fusion") if height > 1] == [
        10,
        4,
        4,
        2,
        2,
        1,
        1,
    ]


def test_frames_of_an_image_network_are_moments():
    assert {frames for frames, height, _ in only("tsm_lab") if height > 1} == {8}


def test_two_paths_are_two_lanes():
    slow, fast = lanes("slowfast_lab")
    assert (slow.name, fast.name) == ("slow", "fast")
    assert slow.volumes[1].frames * 4 == fast.volumes[1].frames
    assert slow.volumes[1].channels == 8 * fast.volumes[1].channels
    spatial, temporal = lanes("two_stream_lab")
    assert (spatial.volumes[0].channels, temporal.volumes[0].channels) == (3, 2)


def test_attention_and_memory_are_marked():
    def notes(model):
        return {note for lane in lanes(model) for volume in lane.volumes for note in volume.notes}

    assert notes("c2d_nl_lab") == notes("swin_lab") == {"looks far"}
    assert notes("lrcn_lab") == {"remembers"}
    assert not notes("c2d_lab")


def test_learned_prompts_lengthen_the_sentence():
    frames, words = prompting_lanes()
    assert frames.volumes[0].frames == 16 and frames.volumes[-1].frames == 1
    assert words.volumes[1].frames == words.volumes[0].frames + 2 * AROUND


def test_what_has_no_layers_has_no_picture():
    assert lanes("idt") == ()
    with pytest.raises(ChoiceError, match="no_such"):
        lanes("no_such")
