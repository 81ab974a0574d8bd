"""Tensors out of any pickled file, without running a line of it.

Training scripts save more than tensors: their settings, their history, numbers of numpy. A pickle names the
classes and functions of such objects and asks for calls. Here nothing that a file names is ever imported
or called: the few names that tensors are made of lead to functions of this file, every other name to an
empty `Stub`.

    zip of torch.save ─┐
    torch.save of before 1.6 ─┼─▶ pickle of names, numbers and stubs, its tensors filled
    .tar of before 0.1.10 ────┤
    plain pickle, Caffe2's .pkl ─┘
"""

import math
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of a file of torch.save before 1.6."""

STORAGES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
NUMPY = {
    "f8": torch.float64,
    "f4": torch.float32,
    "f2": torch.float16,
    "i8": torch.int64,
    "i4": torch.int32,
    "i2": torch.int16,
    "i1": torch.int8,
    "u1": torch.uint8,
    "b1": torch.bool,
}
MOST_NESTED = 4
"""How deep parameters may lie in dicts, and files in files: a tensor in a plain pickle is a small file
of torch.save."""


class UnknownTensor(Exception):
    """The file holds a tensor of a kind that no network here has, such as a sparse one."""


class Stub(dict):
    """Whatever a file names beside tensors: takes every argument, entry and state, and does nothing.

    It is a dict, as some files keep their tensors in dicts of a class of their own.
    """

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __new__(cls, *given: object, **named: object) -> "Stub":
        return super().__new__(cls)

    def __init__(self, *given: object, **named: object):
        super().__init__()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __setstate__(self, state: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass

    def extend(self, items: object) -> None:
        pass

    def add(self, item: object) -> None:
        pass


def read(path: Path) -> tuple[object, bool]:
    """Read a pickled file of any kind.

    Returns:
        What it holds, with stubs for all that is no tensor, number, text or plain container; and whether
        there are stubs.

    Raises:
        UnknownTensor: see there.
        Exception: of any kind, when the file is damaged or none of these.
    """
    reader = _Reader()
    if zipfile.is_zipfile(path):
        found = reader.zip(path)
    elif tarfile.is_tarfile(path):
        found = reader.tar(path)
    else:
        with path.open("rb") as file:
            found = reader.stream(file)
    return found, reader.stubs


class _Reader:
    """The kinds of file; `stubs` is set when a pickle names something unknown."""

    def __init__(self, depth: int = 0):
        self.depth = depth
        self.stubs = False

    def zip(self, path: Path) -> object:
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.split("/", 1)[-1] == "data.pkl"]
            (name,) = pickles
            folder = name.removesuffix("data.pkl")
            order = f"{folder}byteorder"
            if order in archive.namelist() and archive.read(order) != b"little":
                raise ValueError("numbers of another byte order")
            known: dict[str, Tensor] = {}

            def storage(saved: tuple) -> Tensor:
                _, kind, key, *_ = saved
                if str(key) not in known:
                    known[str(key)] = _numbers(archive.read(f"{folder}data/{key}"), kind.dtype)
                return known[str(key)]

            return self.unpickled(archive.open(name), storage)

    def stream(self, file: BinaryIO) -> object:
        first = self.unpickled(file)
        if first != LEGACY_MAGIC:
            return first  # a plain pickle
        self.unpickled(file)  # version of the format
        about = self.unpickled(file)
        if isinstance(about, dict) and about.get("little_endian") is False:
            raise ValueError("numbers of another byte order")
        known: dict[str, Tensor] = {}

        def storage(saved: tuple) -> Tensor:
            _, kind, key, _, count, *view = saved
            if str(key) not in known:
                size = int(count) * kind.dtype.itemsize
                if not 0 <= size <= _left(file):
                    raise ValueError("a tensor is larger than the file")
                known[str(key)] = torch.empty(int(count), dtype=kind.dtype)
            whole = known[str(key)]
            if view and view[0]:
                _, start, length = view[0]
                return whole[int(start) : int(start) + int(length)]
            return whole

        found = self.unpickled(file, storage)
        for key in self.unpickled(file):
            self.fill(file, known[str(key)])
        return found

    def tar(self, path: Path) -> object:
        """Storages, tensors that look into them, and the pickle that names the tensors, a member each."""
        with tarfile.open(path, "r:") as archive:

            def member(name: str) -> BinaryIO:
                content = archive.extractfile(name)
                if content is None:
                    raise ValueError(f"{name} is missing")
                return BytesIO(content.read())

            storages: dict[str, Tensor] = {}
            file = member("storages")
            for _ in range(self.unpickled(file)):
                key, _, kind = self.unpickled(file)
                (count,) = struct.unpack("<q", file.read(8))
                storages[str(key)] = _numbers(
                    _exactly(file, count * kind.dtype.itemsize), kind.dtype
                )
            for key, root, start, count in self.unpickled(file):  # storages that look into others
                storages[str(key)] = storages[str(root)][start : start + count]

            tensors: dict[str, Tensor] = {}
            file = member("tensors")
            for _ in range(self.unpickled(file)):
                key, root, _ = self.unpickled(file)
                (dims,) = struct.unpack("<i", file.read(4))
                file.read(4)
                sizes = struct.unpack(f"<{dims}q", _exactly(file, 8 * dims))
                strides = struct.unpack(f"<{dims}q", _exactly(file, 8 * dims))
                (offset,) = struct.unpack("<q", file.read(8))
                tensors[str(key)] = _view(storages[str(root)], offset, sizes, strides)

            def named(saved: object) -> object:
                if isinstance(saved, tuple):
                    return saved[0]  # a network's class, beside its source code
                return tensors[str(saved)] if str(saved) in tensors else storages[str(saved)]

            return self.unpickled(member("pickle"), named)

    def fill(self, file: BinaryIO, storage: Tensor) -> None:
        (count,) = struct.unpack("<q", _exactly(file, 8))
        if count != storage.numel():
            raise ValueError("a tensor has another size than its pickle says")
        storage.copy_(_numbers(_exactly(file, count * storage.itemsize), storage.dtype))

    def unpickled(self, file: Any, persistent: Callable[..., Any] | None = None) -> Any:
        return _plain(_Unpickler(file, self, persistent).load())

    def inner(self, content: object) -> object:
        """A file inside a plain pickle, as bytes: one storage."""
        if self.depth == MOST_NESTED or not isinstance(content, bytes):
            raise ValueError("files inside files inside files")
        deeper = _Reader(self.depth + 1)
        found = deeper.stream(BytesIO(content))
        self.stubs |= deeper.stubs
        return found


class _Kind:
    """A class of storages, as a pickle names it."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: torch.dtype):
        self.dtype = dtype


class _Array:
    """A numpy array on its way: a pickle makes an empty one and gives it its state."""

    __slots__ = ("tensor",)

    def __init__(self) -> None:
        self.tensor: Tensor | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, by_columns, content = state
        content = content.encode("latin1") if isinstance(content, str) else content
        if not isinstance(dtype, _Dtype) or dtype.torch is None or not isinstance(content, bytes):
            return  # an array of words or objects: nothing for a network
        count = math.prod(shape)
        if len(content) != count * dtype.torch.itemsize:
            raise ValueError("an array has another size than its pickle says")
        flat = _numbers(content, dtype.torch, dtype.swapped)
        if by_columns:
            turned = flat.reshape(tuple(reversed(shape)))
            self.tensor = turned.permute(*reversed(range(len(shape)))).contiguous()
        else:
            self.tensor = flat.reshape(shape)


class _Dtype:
    """A numpy type: what it is called, then the byte order in its state."""

    __slots__ = ("swapped", "torch")

    def __init__(self, name: object, *flags: object):
        self.torch = NUMPY.get(name) if isinstance(name, str) else None
        self.swapped = False

    def __setstate__(self, state: tuple) -> None:
        self.swapped = state[1] == ">"


class _Unpickler(pickle.Unpickler):
    """Names of a file lead to functions of this module or to stubs; nothing is imported for it."""

    def __init__(self, file: Any, reader: _Reader, persistent: Callable[..., Any] | None):
        # Files of Python 2 hold bytes where Python 3 expects text.
        super().__init__(file, encoding="latin1")
        self.reader = reader
        self.persistent = persistent

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage", "torch.cuda") and name.endswith("Storage"):
            kind = STORAGES.get(name.removesuffix("Storage"))
            if kind is not None:
                return _Kind(kind)
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return self.reader.inner
        known = NAMES.get((module, name))
        if known is None:
            self.reader.stubs = True
            # A class of its own: a pickle may write into what it names.
            return type("Stub", (Stub,), {})
        return known

    def persistent_load(self, saved: Any) -> Any:
        if self.persistent is None:
            raise pickle.UnpicklingError("a tensor is stored elsewhere")
        if isinstance(saved, tuple) and saved and saved[0] == "module":
            return saved[1]  # a network's class, beside its source code
        return self.persistent(saved)


def _plain(found: Any, depth: int = 0) -> Any:
    """Arrays as tensors and dicts of any class as plain ones, as deep as parameters are nested."""
    if isinstance(found, _Array):
        return {} if found.tensor is None else found.tensor
    if isinstance(found, dict):
        if depth == MOST_NESTED:
            return {}
        return {key: _plain(value, depth + 1) for key, value in dict.items(found)}
    return found


def _rebuilt(storage: Any, offset: Any, size: Any, stride: Any, *more: object) -> Tensor:
    return _view(storage, offset, size, stride)


def _parameter(data: Any, *more: object) -> Any:
    return data


def _unknown(*given: object) -> None:
    raise UnknownTensor


def _array(*given: object) -> _Array:
    return _Array()


def _from_buffer(
    content: Any, dtype: object, shape: Any, order: object, axes: Any = None
) -> _Array:
    """An array of pickle protocol 5; newer numpys state the order of its axes in memory."""
    made = _Array()
    made.__setstate__((1, tuple(shape), dtype, order == "F", bytes(content)))
    if axes is not None and made.tensor is not None:
        made.tensor = made.tensor.permute(*axes)
    return made


def _encoded(text: object, *encoding: object) -> bytes:
    """Bytes of Python 3 in a pickle of Python 2's protocol."""
    if not isinstance(text, str):
        raise pickle.UnpicklingError("no text")
    return text.encode("latin1")


NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _rebuilt,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch.nn.parameter", "Parameter"): _parameter,
    ("torch._utils", "_rebuild_sparse_tensor"): _unknown,
    ("torch._utils", "_rebuild_sparse_csr_tensor"): _unknown,
    ("torch._utils", "_rebuild_qtensor"): _unknown,
    ("torch._utils", "_rebuild_nested_tensor"): _unknown,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): _unknown,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encoded,
}
"""All that a file's names lead to, beside storages and stubs."""


def _view(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    """Look into a storage; torch checks that the view lies inside."""
    if not isinstance(storage, Tensor):
        raise UnknownTensor
    return storage.as_strided(tuple(size), tuple(stride), int(offset))


def _numbers(content: bytes, dtype: torch.dtype, swapped: bool = False) -> Tensor:
    if not content:
        return torch.empty(0, dtype=dtype)
    raw = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    if swapped:
        raw = raw.view(-1, dtype.itemsize).flip(1).contiguous().view(-1)
    return raw.view(dtype)


def _exactly(file: BinaryIO, count: int) -> bytes:
    if not 0 <= count <= _left(file):
        raise ValueError("a tensor is larger than the file")
    return file.read(count)


def _left(file: BinaryIO) -> int:
    """How many bytes are still to be read."""
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end - here
