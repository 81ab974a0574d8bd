"""Answers survive a program that was killed at any moment."""

import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.recognize import kept_answers as kept
from har_demo.recognize.kept_answers import KeptAnswer

ANSWERS = {
    ("a", "0f", "people", "1"): KeptAnswer(np.array([0.25, 0.75], np.float32)),
    ("a", "0f", "people", 'odd, "name"\n2'): KeptAnswer(
        np.array([1e-9, 1], np.float32), np.array([0.5, 0.5], np.float32)
    ),
}


def same(one: KeptAnswer, other: KeptAnswer) -> bool:
    if (one.backwards is None) != (other.backwards is None):
        return False
    back = one.backwards is None or np.array_equal(one.backwards, other.backwards)
    return back and np.array_equal(one.forwards, other.forwards)


def test_what_is_kept_is_read_again(tmp_path):
    file = tmp_path / "part.csv"
    assert kept.read(file) == {}
    kept.write(file, {})
    for key, answer in ANSWERS.items():
        kept.append(file, key, answer)
    found = kept.read(file)
    assert found.keys() == ANSWERS.keys()
    assert all(same(found[key], ANSWERS[key]) for key in ANSWERS)


def test_a_row_cut_anywhere_is_forgotten_and_the_file_goes_on(tmp_path):
    file = tmp_path / "part.csv"
    kept.write(file, ANSWERS)
    whole, (first, second) = file.read_bytes(), ANSWERS
    begin = whole.index(b'a,0f,people,"')
    for length in range(begin, len(whole) - 2):
        file.write_bytes(whole[:length])
        found = kept.read(file)
        assert found.keys() == {first}, whole[:length]
    kept.write(file, found)
    kept.append(file, second, ANSWERS[second])
    assert kept.read(file).keys() == ANSWERS.keys()


@pytest.mark.parametrize("content", [b"model,input\n1,2\n", b"\xff\xff", b"a,0f,people,1,x,.\n"])
def test_another_file_is_left_alone(tmp_path, content):
    file = tmp_path / "precious.part.csv"
    file.write_bytes(content)
    with pytest.raises(ChoiceError, match=r"'precious\.part\.csv' does not hold answers"):
        kept.read(file)
    assert file.read_bytes() == content


def test_an_answer_read_again_is_the_one_that_was_given():
    scores = np.random.default_rng(0).dirichlet(np.ones(9)).astype(np.float32)
    once = kept.rounded(scores)
    assert np.abs(once - scores).max() < 1e-6
    assert np.array_equal(kept.rounded(once), once)
