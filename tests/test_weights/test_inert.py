"""Tensors come out of every kind of file; nothing that a file names is imported or called."""

import argparse
import collections
import io
import os
import pickle
import struct
import sys
import tarfile
import types
import warnings

import numpy as np
import pytest
import torch

from har_demo.errors import WeightsError
from har_demo.weights import inert, state
from har_demo.weights.untrusted import read_untrusted

TENSORS = {
    "conv.weight": torch.arange(24.0).reshape(2, 3, 4).transpose(0, 1),
    "conv.bias": torch.tensor([0.5, -1.5]),
    "count": torch.tensor(7),
    "half": torch.tensor([1.0, 2.0]).half(),
}


class Named(dict):
    """Stands for the classes of training libraries; its module is gone when the file is read."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.secret = [1, 2]


@pytest.fixture
def library(monkeypatch):
    """A module that is there while a file is written and not when it is read."""
    module = types.ModuleType("training_library")
    module.Named = type("Named", (Named,), {"__module__": "training_library"})
    module.HistoryBuffer = type("HistoryBuffer", (), {"__module__": "training_library"})
    monkeypatch.setitem(sys.modules, "training_library", module)
    yield module
    monkeypatch.delitem(sys.modules, "training_library", raising=False)


def _beside(library) -> dict[str, object]:
    """What training scripts keep beside the tensors."""
    history = library.HistoryBuffer()
    history.log, history.values = np.array([1.0, 2.0]), [np.float64(0.3)]
    counts = collections.defaultdict(list)
    counts["epoch"].append(3)
    return {
        "message_hub": {"log_scalars": collections.OrderedDict(loss=history)},
        "best_prec1": np.float64(72.4),
        "cfg": library.Named(model=library.Named(depth=50)),
        "args": argparse.Namespace(lr=0.1),
        "counts": counts,
    }


def _same(found: dict) -> None:
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "old"])
def test_files_of_torch_save_with_other_things_beside_the_tensors(tmp_path, library, new, protocol):
    saved = {"state_dict": collections.OrderedDict(TENSORS), **_beside(library)}
    torch.save(
        saved, tmp_path / "a.pth", _use_new_zipfile_serialization=new, pickle_protocol=protocol
    )
    torch.save(library.Named(model=dict(TENSORS)), tmp_path / "b.pth")  # a dict of their own
    del sys.modules["training_library"]
    for name in ("a.pth", "b.pth"):
        _same(state.read(tmp_path / name))
    found, stubs = inert.read(tmp_path / "a.pth")
    assert stubs and "training_library" not in sys.modules
    assert {type(part) for part in found.values()} <= {dict, inert.Stub, float} | {
        type(found["args"]),
        type(found["best_prec1"]),
    }


def test_in_a_process_of_its_own(tmp_path, library):
    shared = torch.arange(6.0).reshape(2, 3)
    views = {"a": shared, "b": shared, "t": shared.T}
    torch.save({"model_state": TENSORS | views, **_beside(library)}, tmp_path / "a.pyth")
    del sys.modules["training_library"]
    found = read_untrusted(tmp_path / "a.pyth")
    for name, tensor in views.items():
        assert torch.equal(found.pop(name), tensor), name
    _same(found)


@pytest.mark.parametrize("protocol", [2, 5])
def test_plain_pickles_of_tensors_and_caffe2s_of_arrays(tmp_path, protocol):
    (tmp_path / "plain.pickle").write_bytes(pickle.dumps({"model": TENSORS}, protocol))
    _same(state.read(tmp_path / "plain.pickle"))
    blobs = {name: tensor.numpy() for name, tensor in TENSORS.items()}
    blobs["turned"] = np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))
    blobs["words"] = np.array(["a", "b"])
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"blobs": blobs, "cfg": "MODEL:"}, protocol))
    found = state.read(tmp_path / "net.pkl")
    assert found.pop("turned").tolist() == [[0, 1, 2], [3, 4, 5]]
    _same(found)


def test_the_tar_of_old_torch(tmp_path):
    """Written out by hand: storages, tensors that look into them, and a pickle that names the tensors."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return "7" if value is MARK else None

    MARK = object()
    named = io.BytesIO()
    Pickler(named, 2).dump({"w": MARK})
    kind = pickle.dumps(("5", "cpu", torch.FloatStorage), 2)
    storages = pickle.dumps(1, 2) + kind + struct.pack("<q6f", 6, *range(6)) + pickle.dumps([], 2)
    shape = struct.pack("<i4x2q2qq", 2, 2, 2, 3, 1, 1)
    tensors = pickle.dumps(1, 2) + pickle.dumps(("7", "5", None), 2) + shape
    members = {"storages": storages, "tensors": tensors, "pickle": named.getvalue()}
    with tarfile.open(tmp_path / "old.tar", "w") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    assert state.read(tmp_path / "old.tar")["w"].tolist() == [[1, 2], [4, 5]]


def test_torchscript_is_refused_by_a_sentence_of_its_own(tmp_path):
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="is a TorchScript program") as refused:
        state.read(tmp_path / "net.pt")
    assert "\n" not in str(refused.value)


class Calling:
    """Asks for a call of something, with a state and entries, when it is unpickled."""

    def __init__(self, function, *given, state=None, items=()):
        self.made = (function, given, state, iter(()), iter(items))

    def __reduce__(self):
        return self.made


@pytest.mark.parametrize("new", [True, False], ids=["zip", "old"])
def test_no_call_that_a_file_asks_for_is_made(tmp_path, new):
    mark = tmp_path / "ran"
    calls = [
        Calling(os.system, f"touch {mark}"),
        Calling(exec, f"open({str(mark)!r}, 'w')"),
        Calling(__import__, "antigravity"),
        Calling(getattr, "text", "upper"),
        Calling(open, str(mark), "w"),
        Calling(collections.OrderedDict, state={"items": os.system, "get": exec}, items=[("x", 1)]),
    ]
    saved = {"state_dict": TENSORS, "beside": calls}
    torch.save(saved, tmp_path / "evil.pt", _use_new_zipfile_serialization=new)
    before = set(sys.modules)
    _same(state.read(tmp_path / "evil.pt"))
    assert not mark.exists() and "antigravity" not in set(sys.modules) - before


def test_what_a_file_says_of_its_sizes_is_not_believed(tmp_path):
    content = pickle.dumps({"blobs": {"a": np.arange(4.0)}}, 2)
    swollen = content.replace(b"K\x04\x85", b"K\x40\x85")
    assert swollen != content
    (tmp_path / "net.pkl").write_bytes(swollen)
    with pytest.raises(WeightsError, match="is damaged"):
        state.read(tmp_path / "net.pkl")
