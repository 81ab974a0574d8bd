"""Files of flow are Middlebury's, byte for byte."""

import struct

import cv2
import numpy as np
import pytest

from har_demo.errors import ClipError
from har_demo.flow.files import known_pairs, read_flo, write_flo


def test_there_and_back(tmp_path):
    known = np.random.default_rng(0).normal(0, 30, (2, 5, 7)).astype(np.float32)
    write_flo(tmp_path / "a.flo", known)
    read = read_flo(tmp_path / "a.flo")
    assert read.dtype == np.float32 and read.shape == (2, 5, 7)
    np.testing.assert_array_equal(read, known)


def test_the_bytes_are_those_of_the_format(tmp_path):
    flow = np.zeros((2, 2, 3), np.float32)
    flow[0, 1, 2], flow[1, 1, 2] = 1.5, -2.5
    write_flo(tmp_path / "a.flo", flow)
    numbers = struct.unpack("<fii12f", (tmp_path / "a.flo").read_bytes())
    assert numbers == (202021.25, 3, 2, *[0.0] * 10, 1.5, -2.5)
    np.testing.assert_array_equal(
        cv2.readOpticalFlow(str(tmp_path / "a.flo")).transpose(2, 0, 1), flow
    )


def test_unknown_points_are_nan(tmp_path):
    flow = np.zeros((2, 2, 2), np.float32)
    flow[:, 0, 1] = 1.666666752e9
    write_flo(tmp_path / "a.flo", flow)
    read = read_flo(tmp_path / "a.flo")
    assert np.isnan(read[:, 0, 1]).all() and np.isfinite(read).sum() == 6


def good():
    return b"PIEH" + struct.pack("<ii", 3, 2) + bytes(8 * 6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no .flo file"),
        (b"PIEH\0\0\0", "no .flo file"),
        (b"HEIP" + good()[4:], "no .flo file"),
        (good()[:-1], "damaged"),
        (good() + b"\0", "damaged"),
        (b"PIEH" + struct.pack("<ii", 0, 2), "damaged"),
        (b"PIEH" + struct.pack("<ii", -3, -2) + bytes(48), "damaged"),
        (b"PIEH" + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + bytes(48), "damaged"),
    ],
    ids=["empty", "short", "other", "cut", "long", "nothing wide", "negative", "huge"],
)
def test_what_is_no_flow_is_refused_in_a_sentence(content, words, tmp_path):
    (tmp_path / "a.flo").write_bytes(content)
    with pytest.raises(ClipError, match=words) as refused:
        read_flo(tmp_path / "a.flo")
    assert "'a.flo'" in str(refused.value) and "\n" not in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ClipError, match=r"'gone\.flo' cannot be read"):
        read_flo(tmp_path / "gone.flo")


def test_flow_of_another_shape_is_a_programmers_mistake(tmp_path):
    with pytest.raises(ValueError, match=r"\[2, H, W\]"):
        write_flo(tmp_path / "a.flo", np.zeros((4, 5, 2), np.float32))


@pytest.fixture
def pairs(tmp_path):
    """Two pairs as FlyingChairs has them; everything of the second is red."""
    for name, height in (("one", 4), ("two", 6)):
        folder = tmp_path / name
        folder.mkdir()
        for number in (1, 2):
            picture = np.zeros((height, 8, 3), np.uint8)
            picture[..., 2] = 100 * number  # red, as OpenCV counts colours
            cv2.imwrite(str(folder / f"{name}_img{number}.ppm"), picture)
        write_flo(folder / f"{name}_flow.flo", np.full((2, height, 8), height, np.float32))
    return tmp_path


def test_pairs_of_a_folder(pairs):
    one, two = known_pairs(pairs)
    assert (one.name, two.name) == ("one", "two")
    assert two.frames.shape == (2, 6, 8, 3) and two.frames.dtype == np.uint8
    assert two.frames[1, 0, 0].tolist() == [200, 0, 0]
    assert (two.flow == 6).all() and two.visible is None


def test_pairs_that_are_not_whole(pairs, tmp_path):
    with pytest.raises(ClipError, match="holds no pairs"):
        known_pairs(tmp_path / "one" / "none")
    write_flo(pairs / "one" / "one_flow.flo", np.zeros((2, 5, 8), np.float32))
    with pytest.raises(ClipError, match="'one' differ in size"):
        known_pairs(pairs)
    (pairs / "one" / "one_img2.ppm").write_bytes(b"P6 nothing")
    with pytest.raises(ClipError, match=r"one_img2\.ppm cannot be read"):
        known_pairs(pairs)
    (pairs / "one" / "one_img2.ppm").unlink()
    with pytest.raises(ClipError, match=r"one_img2\.ppm cannot be read"):
        known_pairs(pairs)
