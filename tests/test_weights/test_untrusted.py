"""Hostile files end a process of their own, not the server.

What that process says is tested here in the tests' own; that a file goes through it with every tensor,
in test_inert.py; that a fault in it is ours to the user too, in test_cli.py.
"""

import json
import resource
import traceback
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from har_demo.errors import BROKEN, InternalError, WeightsError
from har_demo.weights import state, untrusted
from har_demo.weights.untrusted import read_untrusted
from tests import plant


def test_a_file_that_asks_for_gigabytes_gets_a_sentence_and_no_memory(tmp_path):
    path = tmp_path / "greedy.pt"
    # bytearray(6 * 10**9), in the forty bytes that torch's own reader would obey
    path.write_bytes(
        b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + (6 * 10**9).to_bytes(5, "little") + b"\x85R."
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with pytest.raises(WeightsError, match=r"greedy\.pt"):
        read_untrusted(path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after <= max(before, 3_000_000)  # kilobytes; children of other tests may have had more


def test_code_in_a_pickle_is_refused_in_the_same_words(tmp_path):
    path = tmp_path / "evil.pt"
    torch.save({"a": print}, path)
    with pytest.raises(WeightsError, match="could run code"):
        read_untrusted(path)


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "mine.pt"
    torch.save({"a": torch.zeros(2)}, path)
    return path


def test_a_fault_in_the_reading_process_is_not_the_files(sound, tmp_path, monkeypatch, capsys):
    """It leaves `main` as it is: what such an end of the process becomes, the next test says."""

    def load(*given, **named):
        raise TypeError("planted")

    monkeypatch.setattr(resource, "setrlimit", lambda *given: None)
    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(TypeError, match="planted"):
        untrusted.main(str(sound), str(tmp_path / "tensors.safetensors"))
    assert capsys.readouterr().out == f"{untrusted.READY}\n"


def test_a_library_that_does_not_load_is_not_the_files_fault(sound, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(plant.missing(tmp_path / "planted", "torch")))
    with pytest.raises(InternalError) as broken:
        read_untrusted(sound)
    assert str(broken.value) == BROKEN
    assert "ImportError: no such library" in "".join(traceback.format_exception(broken.value))


def test_a_file_that_keeps_its_reader_busy_is_given_up(sound, tmp_path, monkeypatch):
    code = "import time\nprint('ready', flush=True)\ntime.sleep(1000)"
    planted = plant.in_process(tmp_path / "planted", "har_demo.weights.untrusted", code)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    monkeypatch.setattr(untrusted, "PATIENCE", 0.05)
    # The suite's time limit notices if the thousand seconds are waited for.
    with pytest.raises(WeightsError, match="too much memory or time"):
        read_untrusted(sound)


def test_a_reader_that_is_killed_met_a_bad_file(sound, tmp_path, monkeypatch):
    code = "import os\nos.kill(os.getpid(), 9)"
    planted = plant.in_process(tmp_path / "planted", "har_demo.weights.untrusted", code)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    with pytest.raises(WeightsError, match="too much memory or time"):
        read_untrusted(sound)


def test_a_refusal_that_comes_in_one_piece_with_the_readiness_is_heard(
    sound, tmp_path, monkeypatch
):
    code = "import os\nos.write(1, 'ready\\n‘é.pt’ is refused.\\n'.encode())\nos._exit(3)"
    planted = plant.in_process(tmp_path / "planted", "har_demo.weights.untrusted", code)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    with pytest.raises(WeightsError, match=r"^‘é\.pt’ is refused\.$"):
        read_untrusted(sound)


def test_tensors_that_no_network_has_are_said(tmp_path, monkeypatch, capsys):
    path = tmp_path / "sparse.pt"
    torch.save({"a": torch.eye(3).to_sparse()}, path)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: None)
    with pytest.raises(SystemExit) as ended:
        untrusted.main(str(path), str(tmp_path / "tensors.safetensors"))
    assert ended.value.code == untrusted.REFUSED
    first, sentence = capsys.readouterr().out.splitlines()
    assert first == untrusted.READY
    assert "'sparse.pt' holds tensors that are too large, or of a" in sentence


def described(path, count):
    """A safetensors file that describes so many empty tensors."""
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({f"t{number}": one for number in range(count)}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


def test_safetensors_of_a_stranger_are_not_opened_here_before_they_were_there(
    tmp_path, monkeypatch
):
    path = tmp_path / "mine.safetensors"
    save_file({"a": torch.arange(3.0)}, path)
    opened = []
    ours = state.read
    monkeypatch.setattr(state, "read", lambda file: opened.append(file) or ours(file))
    torch.testing.assert_close(read_untrusted(path)["a"], torch.arange(3.0))
    assert len(opened) == 1 and opened[0] != path


def test_more_tensors_than_a_network_has_are_refused_whatever_they_hold(tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match=r"^'many\.safetensors' holds more than 20,000 tensors"):
        read_untrusted(described(tmp_path / "many.safetensors", 400_000))
    # What describes them is not even parsed where it is too long; the limit lies close above the count.
    with pytest.raises(WeightsError, match="more than 20,000 tensors"):
        state.read(described(tmp_path / "few.safetensors", state.MOST_TENSORS + 1))
    assert len(state.read(described(tmp_path / "all.safetensors", 1000))) == 1000
    monkeypatch.setattr(state, "MOST_TENSORS", 2)
    pickled = tmp_path / "many.pt"
    torch.save({name: torch.zeros(1) for name in "abc"}, pickled)
    with pytest.raises(WeightsError, match=r"'many\.pt' holds more than"):
        state.read(pickled)


def test_headers_that_are_no_description_are_damage(tmp_path):
    path = tmp_path / "a.safetensors"
    for content in (
        b"",
        b"\xff" * 8,
        (5).to_bytes(8, "little") + b"[[[[[",
        (9).to_bytes(8, "little") + b'{"a":null',
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        (2).to_bytes(8, "little") + b"17",
    ):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="is damaged or no file of weights"):
            state.read(path)


def test_a_name_without_an_end_is_a_sentence():
    for name in ("a" * 5000, f"{'a' * 5000}.pt", f"{'a' * 5000}.safetensors"):
        with pytest.raises(WeightsError) as refused:
            read_untrusted(Path(name))
        assert len(str(refused.value)) < 200 and "…'" in str(refused.value)
