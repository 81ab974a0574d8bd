"""The cost of each layer of a network: python -m har_demo costs --layers c3d

The network runs once on the meta device, and every module notes what it gave out, which multiply-adds
were its own and how many numbers it wrote. So the lines add up to the whole: what a block does by
itself and not through one of its layers, such as the products of attention, is on a line of its own,
marked 'other'.

Memory is of these numbers alone, four bytes each: training keeps them all until it has gone back
through the network. Activations and sums between the lines are left out, as they can be done in place.
"""

import csv
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from har_demo import assets
from har_demo.models.card import ModelCard, ModelInput
from har_demo.models.without_numbers import without_numbers
from har_demo.tables.errata import Erratum

COLUMNS = ("layer", "kind", "window", "output", "parameters", "GMACs", "MB")
BYTES = 4  # of a number in single precision

LECTURE_TABLE = assets.PUBLISHED / "c3d_layers.csv"
SPORTS_1M = 487
"""Classes of C3D's first training; the lecture leaves them open, and its cost of FC8 fits them."""

LECTURE_COLUMNS = (
    "lecture's layer",
    "size printed",
    "size here",
    "cost printed",
    "GMACs of the size printed",
    "printed ÷ that",
    "GMACs here",
)


@dataclass(frozen=True)
class Layer:
    """One module of a network, as it ran on one view.

    Attributes:
        name: its place in the network, such as 'layer1.0.conv1.space'.
        kind: its class, and 'other' where only what it does beside its layers is meant; for a pool
            that is a function, the function's name.
        window: size and stride of what it slides over its input, or inputs → outputs.
        output: shape it gave out, the batch left away; () for one that never ran by itself.
        parameters: its own, not its layers'; one that is shared counts where it is met first.
        gmacs: multiply-adds of its own, in 10⁹, over all its runs.
        runs: how often it ran.
        together: how many such outputs a run gave, the batch: frames, where a network of images sees
            them one by one, or windows of attention.
        numbers: how many its own operations wrote, over all its runs; a view of others writes none.
    """

    name: str
    kind: str
    window: str
    output: tuple[int, ...]
    parameters: int
    gmacs: float
    runs: int
    together: int = 1
    numbers: int = 0

    @property
    def megabytes(self) -> float:
        """Memory of its output, in 10⁶ bytes of single precision."""
        return self.numbers * BYTES / 1e6

    def words(self) -> tuple[str, ...]:
        """The row under COLUMNS."""
        kind = f"{self.kind}, {self.runs} times" if self.runs > 1 else self.kind
        return (
            self.name,
            kind,
            self.window,
            f"{self.together} of {_by(self.output)}" if self.together > 1 else _by(self.output),
            str(self.parameters or ""),
            f"{self.gmacs:.4f}" if self.gmacs else "",
            f"{self.megabytes:.2f}" if self.numbers else "",
        )


def layers(
    card: ModelCard, classes: int | None = None, view: ModelInput | None = None
) -> tuple[Layer, ...]:
    """The layers of a card's network in the order they finish, for one view.

    Left out are those without parameters and multiply-adds that do not change the shape, such as
    a ReLU.

    Args:
        classes: outputs of the network; as many as the card's when None.
        view: what is shown to it; the card's own input when None.
    """
    with without_numbers():
        network = card.build(classes or len(card.classes)).eval()
        views = [torch.empty(shape) for shape in (view or card.input).shapes()]
    recorder = _Recorder(network)
    # The counter is asked first: what it takes apart to count is also written piece by piece.
    with torch.no_grad(), recorder.writes, recorder.counter, recorder:
        network(*views)
    return recorder.layers()


def table(counted: tuple[Layer, ...]) -> list[tuple[str, ...]]:
    """Rows of words under COLUMNS, the sum last."""
    total = Layer(
        "all",
        "",
        "",
        (),
        sum(layer.parameters for layer in counted),
        sum(layer.gmacs for layer in counted),
        1,
        numbers=sum(layer.numbers for layer in counted),
    )
    return [COLUMNS, *(layer.words() for layer in counted), total.words()]


def write(rows: list[tuple[str, ...]], path: Path | str) -> None:
    """A table of words as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


@dataclass(frozen=True)
class PrintedLayer:
    """A line of the lecture's table of C3D: what stands there, and nothing else."""

    layer: str
    printed_size: str
    printed_cost: float | None
    printed_unit: str


def printed_layers(path: Path = LECTURE_TABLE) -> tuple[PrintedLayer, ...]:
    """The lecture's table of C3D, line by line."""
    with open(path, newline="", encoding="utf-8") as file:
        return tuple(
            PrintedLayer(
                row["layer"],
                row["printed size"],
                float(row["printed cost"]) if row["printed cost"] else None,
                row["printed unit"],
            )
            for row in csv.DictReader(file)
        )


def beside_the_lecture(c3d: ModelCard) -> list[tuple[str, ...]]:
    """The lecture's table of C3D with the true numbers beside, rows of words under LECTURE_COLUMNS.

    Two truths are beside each cost: that of a layer of the size the lecture prints, and that of the
    layer in the network here, whose fifth pool leaves 4 × 4 places instead of 3 × 3.
    """
    here = {_place(layer): layer for layer in layers(c3d, SPORTS_1M)}
    rows, before = [], (0,)
    printed_sum = sized_sum = 0.0
    for line in printed_layers():
        size = tuple(int(n) for n in line.printed_size.replace("C", str(SPORTS_1M)).split("×"))
        match = here.get(line.layer.split(" ")[0].lower())
        cost, sized = line.printed_cost, 0.0
        if cost is not None:
            sized = _sized(before, size)
            printed_sum, sized_sum = printed_sum + cost, sized_sum + sized
        rows.append(
            (
                line.layer,
                line.printed_size,
                _by(match.output if match else c3d.input.shapes()[0][1:]),
                f"{cost:.2f} {line.printed_unit}" if cost is not None else "",
                f"{sized:.4f}" if cost is not None else "",
                f"{cost / sized:.2f}" if cost is not None else "",
                f"{match.gmacs:.4f}" if match and match.gmacs else "",
            )
        )
        before = size
    total = sum(layer.gmacs for layer in here.values())
    ratio = f"{printed_sum / sized_sum:.2f}"
    sums = ("sum", "", "", f"{printed_sum:.2f}", f"{sized_sum:.4f}", ratio, f"{total:.4f}")
    return [LECTURE_COLUMNS, *rows, sums]


def remarks(errata: dict[str, Erratum], numbers: range) -> str:
    """Errata in one line each: what is printed, what is right."""
    found = [errata[f"E{number}"] for number in numbers]
    return "\n".join(f"{e.id}: printed {e.printed}; right: {e.right}" for e in found)


class _Writes(TorchDispatchMode):
    """Counts the numbers that operations write; what only shows the numbers of another writes none."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        given = {_place_of(t) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        for tensor in tree_leaves(output):
            if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
                continue  # such as the places of a pool's maxima
            if _place_of(tensor) not in given:
                self.numbers += tensor.numel()
        return output


def _place_of(tensor: Tensor) -> int:
    """Return the address of its numbers, the same for all views of them."""
    return tensor.untyped_storage()._cdata


class _Recorder(TorchFunctionMode):
    """Notes what every module of a network gives out, and what multiply-adds and numbers are its own.

    As a mode it also sees pools that are called as functions, which have no module of their own.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.counter = FlopCounterMode(display=False)
        self.writes = _Writes()
        self.modules = dict(network.named_modules())
        self.running: list[_Run] = []
        self.lines: dict[str, Layer] = {}
        self.counted: set[Tensor] = set()
        for name, module in self.modules.items():
            module.register_forward_pre_hook(lambda *_, name=name: self.begin(name))
            module.register_forward_hook(self.end)

    def begin(self, name: str) -> None:
        self.running.append(_Run(name, self.counter.get_total_flops(), self.writes.numbers))

    def end(self, module: nn.Module, inputs: tuple, output) -> None:
        run = self.running.pop()
        spent = self.counter.get_total_flops() - run.started
        written = self.writes.numbers - run.written
        if self.running:
            self.running[-1].inner += spent
            self.running[-1].inner_written += written
        gmacs = (spent - run.inner) / 2 / 1e9  # the counter takes a multiply-add for two
        numbers = written - run.inner_written
        known = self.lines.get(run.name)
        if known:
            gmacs, numbers = gmacs + known.gmacs, numbers + known.numbers
            self.lines[run.name] = replace(known, gmacs=gmacs, runs=known.runs + 1, numbers=numbers)
            return
        shape = _first_shape(output)
        whole = not any(module.children())
        reshapes = whole and shape != _first_shape(inputs)
        parameters = self.own_parameters(module)
        if parameters or gmacs or reshapes:
            kind = type(module).__name__ + ("" if whole else ", other")
            self.add(run.name, kind, _window(module), shape, parameters, gmacs, numbers)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        before = self.writes.numbers
        output = func(*args, **(kwargs or {}))
        kind = getattr(func, "__name__", "").lstrip("_")
        if "pool" in kind and self.running and any(self.module_running().children()):
            place = f"{self.running[-1].name}.{kind}".lstrip(".")
            again = sum(name.split(" ")[0] == place for name in self.lines)
            name = f"{place} ({again + 1})" if again else place
            size = args[1] if len(args) > 1 else ""
            window = _by((size,) * 3 if isinstance(size, int) else size)
            written = self.writes.numbers - before
            self.running[-1].inner_written += written
            self.add(name, kind, window, _first_shape(output), 0, 0.0, written)
        return output

    def module_running(self) -> nn.Module:
        return self.modules[self.running[-1].name]

    def own_parameters(self, module: nn.Module) -> int:
        new = {p for p in module.parameters(recurse=False) if p not in self.counted}
        self.counted |= new
        return sum(p.numel() for p in new)

    def add(self, name, kind, window, shape, parameters, gmacs, numbers) -> None:
        together = shape[0] if shape else 1
        self.lines[name] = Layer(
            name or "(the network)",
            kind,
            window,
            shape[1:],
            parameters,
            gmacs,
            1,
            together,
            numbers,
        )

    def layers(self) -> tuple[Layer, ...]:
        """Everything noted, and the parameters of modules that others read without running them."""
        for name, module in self.modules.items():
            if parameters := self.own_parameters(module):
                self.add(name, type(module).__name__, _window(module), (), parameters, 0.0, 0)
        return tuple(self.lines.values())


@dataclass
class _Run:
    """A module at work: the counters when it began, and what its layers have spent since."""

    name: str
    started: int
    written: int
    inner: int = 0
    inner_written: int = 0


def _sized(before: tuple[int, ...], size: tuple[int, ...]) -> float:
    """GMACs of a 3×3×3 convolution or of a full connection between volumes of these sizes."""
    if len(size) == 1:
        return math.prod(before) * size[0] / 1e9
    return before[0] * 27 * math.prod(size) / 1e9


def _place(layer: Layer) -> str:
    """Our layer's name as the lecture writes it: 'conv1a' is 'conv1', the second pool is 'pool2'."""
    pool = re.fullmatch(r"max_pool3d(?: \((\d)\))?", layer.name)
    return f"pool{pool.group(1) or 1}" if pool else re.sub(r"(conv[12])a", r"\1", layer.name)


def _first_shape(given) -> tuple[int, ...]:
    """Of the first tensor in what a module takes or gives."""
    if isinstance(given, Tensor):
        return tuple(given.shape)
    if isinstance(given, tuple | list) and given:
        return _first_shape(given[0])
    return ()


def _window(module: nn.Module) -> str:
    """'3×3×3, stride 1×2×2, 16 groups' of a convolution or pool, '4096 → 101' of a linear layer."""
    if isinstance(module, nn.Linear):
        return f"{module.in_features} → {module.out_features}"
    kernel = getattr(module, "kernel_size", None)
    if kernel is None:
        return ""
    axes = int(re.search(r"(\d)d", type(module).__name__ + "1d").group(1))

    def spread(value) -> tuple:
        return value if isinstance(value, tuple) else (value,) * axes

    words = [_by(spread(kernel))]
    stride = spread(module.stride)
    if any(step != 1 for step in stride):
        words.append(f"stride {_by(stride)}")
    if getattr(module, "groups", 1) > 1:
        words.append(f"{module.groups} groups")
    return ", ".join(words)


def _by(sizes) -> str:
    return "×".join(map(str, sizes))
