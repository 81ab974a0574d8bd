"""Only tensors are taken out of files, and only those that fit; anything else is one sentence."""

import dataclasses
import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from har_demo.errors import WeightsError
from har_demo.weights import state

SUFFIXES = [".safetensors", ".pt", ".pth", ".ckpt", ".pickle", ".PTH"]


def _save(tensors, path):
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path)
    return path


def _refusal(path) -> str:
    with pytest.raises(WeightsError) as error:
        state.read(path)
    sentence = str(error.value)
    assert "\n" not in sentence and len(sentence) < 300 and sentence.endswith(".")
    return sentence


def _same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_of_file_fills_the_network(suffix, tmp_path, card, trained):
    path = _save(trained.state_dict(), tmp_path / f"net{suffix}")
    network = card.build(3)
    assert not _same(network, trained)
    state.fill(network, state.read(path), card, path.name)
    assert _same(network, trained)
    assert torch.equal(network[1].running_var, trained[1].running_var)


def test_the_old_format_of_torch_save(tmp_path, card, trained):
    torch.save(trained.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    network = card.build(3)
    state.fill(network, state.read(tmp_path / "old.pth"), card, "old.pth")
    assert _same(network, trained)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"state_dict": s, "epoch": 3},
        lambda s: {"model": s, "optimizer": {"lr": 0.1}},
        lambda s: {"model_state": {"state_dict": s}},
        lambda s: {f"module.{k}": v for k, v in s.items()},
        lambda s: {"state_dict": {f"model.{k}": v for k, v in s.items()}},
        lambda s: {"model": {f"module.model.{k}": v for k, v in s.items()}},
    ],
    ids=["state_dict", "model", "nested", "module.", "model.", "both"],
)
def test_wrappings_come_off(wrap, tmp_path, card, trained):
    torch.save(wrap(trained.state_dict()), tmp_path / "net.pt")
    assert state.read(tmp_path / "net.pt").keys() == trained.state_dict().keys()


def test_half_precision_becomes_float32(card, trained):
    halves = {k: v.half() if v.is_floating_point() else v for k, v in trained.state_dict().items()}
    network = card.build(3)
    state.fill(network, halves, card, "net")
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    torch.testing.assert_close(network[3].weight, trained[3].weight, atol=2e-3, rtol=2e-3)


def test_counters_of_batches_may_be_absent_and_are_not_taken(card, trained):
    tensors = trained.state_dict()
    network = card.build(3)
    state.fill(network, tensors, card, "net")
    assert network[1].num_batches_tracked == 0
    del tensors["1.num_batches_tracked"]
    state.fill(network, tensors, card, "net")
    assert _same(network, trained)


def test_indices_stay_the_networks_own(card):
    """A hostile index would be looked up on the device, where it can end the process."""

    def windows(classes):
        network = nn.Linear(4, classes)
        network.register_buffer("index", torch.arange(4))
        return network

    indexed = dataclasses.replace(card, build=windows)
    network = windows(3)
    tensors = windows(3).state_dict() | {"index": torch.full((4,), 10**9)}
    state.fill(network, tensors, indexed, "net")
    assert network.index.tolist() == [0, 1, 2, 3]


def test_public_names_are_taken_where_there_is_a_map(card, trained):
    public = {f"backbone.{k}": v for k, v in trained.state_dict().items()}
    unmapped = card.build(3)
    with pytest.raises(WeightsError, match="unknown"):
        state.fill(unmapped, public, card, "net")
    strip = lambda tensors: {k.removeprefix("backbone."): v for k, v in tensors.items()}  # noqa: E731
    mapped = dataclasses.replace(card, key_map=strip)
    for names in (public, trained.state_dict()):
        network = card.build(3)
        state.fill(network, names, mapped, "net")
        assert _same(network, trained)


class Hostile:
    """Runs a command when an unsuspecting reader unpickles it."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "old"])
def test_code_in_a_pickle_is_not_run(new, tmp_path):
    mark = tmp_path / "ran"
    torch.save({"a": Hostile(mark)}, tmp_path / "evil.pt", _use_new_zipfile_serialization=new)
    assert "was not opened because it holds Python objects" in _refusal(tmp_path / "evil.pt")
    assert not mark.exists()


def test_a_bare_hostile_pickle(tmp_path):
    mark = tmp_path / "ran"
    (tmp_path / "evil.pickle").write_bytes(pickle.dumps(Hostile(mark), protocol=2))
    assert _refusal(tmp_path / "evil.pickle").startswith("'evil.pickle' ")
    assert not mark.exists()


def test_a_whole_module_is_refused(tmp_path, trained):
    torch.save(trained, tmp_path / "module.pt")
    assert "holds Python objects" in _refusal(tmp_path / "module.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize(
    "content",
    [b"", b"hello, this is text", os.urandom(4000), b"PK\x03\x04" + bytes(100), b"\xff" * 64],
    ids=["empty", "text", "random", "zip head", "ones"],
)
def test_what_is_no_file_of_weights(content, suffix, tmp_path):
    (tmp_path / f"net{suffix}").write_bytes(content)
    _refusal(tmp_path / f"net{suffix}")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_file_cut_anywhere(suffix, tmp_path, trained):
    content = _save(trained.state_dict(), tmp_path / f"net{suffix}").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / f"cut{suffix}").write_bytes(content[: int(len(content) * share)])
        assert "is damaged or no file of weights" in _refusal(tmp_path / f"cut{suffix}")


def test_flipped_bytes_fill_the_network_or_are_refused(tmp_path, card, trained):
    content = _save(trained.state_dict(), tmp_path / "net.pt").read_bytes()
    generator = torch.Generator().manual_seed(0)
    refused = 0
    for _ in range(100):
        flipped = bytearray(content)
        for place in torch.randint(len(content), (20,), generator=generator).tolist():
            flipped[place] ^= 0xFF
        (tmp_path / "flipped.pt").write_bytes(flipped)
        try:
            network = card.build(3)
            state.fill(network, state.read(tmp_path / "flipped.pt"), card, "flipped.pt")
            assert all(bool(p.isfinite().all()) for p in network.parameters())
        except WeightsError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 0


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "LARGEST", 1_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(50_000_000))
    assert (tmp_path / "bomb.pt").stat().st_size < 100_000
    assert "over the limit" in _refusal(tmp_path / "bomb.pt")


def test_a_file_over_the_limit_is_not_opened(tmp_path):
    with (tmp_path / "large.safetensors").open("wb") as file:
        file.truncate(state.LARGEST + 1)  # takes no room on the disk
    assert "over the limit of 2000 MB" in _refusal(tmp_path / "large.safetensors")


@pytest.mark.parametrize("name", ["net.zip", "net", "net.py", "net.onnx"])
def test_other_kinds_of_file(name, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    assert "is no file of weights: give a .safetensors file" in _refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["gone.pt", "folder.pt", "nul\0.pt", "x" * 5000 + ".pt"])
def test_no_such_file(name, tmp_path):
    (tmp_path / "folder.pt").mkdir(exist_ok=True)
    with pytest.raises(WeightsError, match="There is no file"):
        state.read(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [{}, [], torch.zeros(3), {"epoch": 3}, {3: torch.zeros(3)}, {"state_dict": {}}, {"a": None}],
    ids=["nothing", "list", "tensor", "number", "key", "wrapped nothing", "none"],
)
def test_no_tensors_by_name(content, tmp_path):
    torch.save(content, tmp_path / "net.pt")
    assert "holds no tensors by name" in _refusal(tmp_path / "net.pt")


def _misfit(tensors, card) -> str:
    with pytest.raises(WeightsError) as error:
        state.fill(card.build(len(card.classes)), tensors, card, "net.pt")
    return str(error.value)


def test_other_classes_are_named_as_such(card):
    sentence = _misfit(card.build(101).state_dict(), card)
    assert sentence == (
        "'net.pt' was trained for 101 classes, but Small-3D has the 3 of Three here: "
        "give weights for those."
    )


def test_another_architecture_is_counted_and_the_first_named(card, trained):
    tensors = trained.state_dict()
    tensors["0.weight"] = torch.zeros(4, 3, 5, 5, 5)
    tensors["backbone.extra"] = tensors.pop("0.bias")
    sentence = _misfit(tensors, card)
    assert sentence == (
        "'net.pt' does not fit Small-3D: 1 of its 8 tensors are missing (first: 0.bias), "
        "1 are unknown (first: backbone.extra), "
        "1 have another shape (first: 0.weight is 4×3×5×5×5, not 4×3×3×3×3); "
        "choose the model that it was trained as."
    )


def test_a_misfit_leaves_the_network_alone(card, trained):
    network = card.build(3)
    before = network[0].weight.clone()
    tensors = trained.state_dict()
    del tensors["3.bias"]
    with pytest.raises(WeightsError):
        state.fill(network, tensors, card, "net.pt")
    assert torch.equal(network[0].weight, before)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t * float("nan"),
        lambda t: t / 0,
        lambda t: t.int(),
        lambda t: t.to("meta"),
        lambda t: t.to_sparse(),
        lambda t: torch.complex(t, t),
    ],
    ids=["nan", "infinite", "whole", "meta", "sparse", "complex"],
)
def test_values_that_are_no_finite_numbers(spoil, card, trained):
    tensors = trained.state_dict()
    tensors["3.weight"] = spoil(tensors["3.weight"])
    assert "3.weight holds values that are not finite numbers" in _misfit(tensors, card)


@pytest.mark.parametrize("suffix, reader", [("pt", "torch.load"), ("safetensors", "load_file")])
def test_a_library_that_reads_nothing_is_not_the_files_fault(
    suffix, reader, tmp_path, trained, monkeypatch
):
    path = tmp_path / f"mine.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(trained.state_dict(), path)

    def changed(*given, **named):
        raise TypeError("unexpected keyword argument")

    monkeypatch.setattr(reader if "." in reader else f"har_demo.weights.state.{reader}", changed)
    with pytest.raises(TypeError, match="unexpected keyword"):
        state.read(path)
