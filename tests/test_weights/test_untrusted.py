"""Hostile pickles end a process of their own, not the server.

What that process says is tested here in the tests' own; that a file goes through it with every tensor,
in test_inert.py; that a fault in it is ours to the user too, in test_cli.py.
"""

import resource
import traceback

import pytest
import torch

from har_demo.errors import BROKEN, InternalError, WeightsError
from har_demo.weights import untrusted
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
