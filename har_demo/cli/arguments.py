"""Read and check the arguments of commands."""

import os
from collections.abc import Sequence

from har_demo.errors import ChoiceError, ClipError

CROPS = "1 (centre), 3 (start, centre, end) or 10 (corners and centre, also mirrored)."
SIDE = "Cut squares of this side, in pixels, out of pictures whose short side is made as long."
PROTOCOL = (
    "`published`: windows, crops, their size and precision as the published accuracy was measured."
)
FLOAT32 = "Calculate in single precision on a GPU, too."
WEIGHTS_FROM = "Whose public weights to take, as model=PUBLISHER; `weights --sources` lists them. May be repeated."


def named_models(model: str) -> list[str]:
    """The models that --model names, each once."""
    from har_demo.weights import shipped

    if model == "shipped":
        return [entry["model"] for entry in shipped.entries()]
    names = list(dict.fromkeys(split_names(model)))
    if not names:
        raise ChoiceError("No model is chosen: name one with --model.")
    return names


def split_names(text: str) -> list[str]:
    """'a, b' as ['a', 'b']."""
    return [name.strip() for name in text.split(",") if name.strip()]


def split_numbers(text: str, option: str) -> list[float]:
    """'4, 8' as [4, 8]."""
    try:
        return [float(number) for number in split_names(text)]
    except ValueError:
        raise ChoiceError(
            f"{option} takes numbers separated by commas, not '{printable(text)}'."
        ) from None


def own_files(given: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """['r3d_18=my.pth'] becomes {'r3d_18': 'my.pth'}."""
    files = {}
    for one in given:
        name, equals, file = one.partition("=")
        if not (name and equals and file):
            raise ChoiceError(f"Weights are given as model=FILE, not as '{printable(one)}'.")
        if name not in names:
            raise ChoiceError(
                f"Weights are given for {printable(name)}, which --models does not name."
            )
        files[name] = file
    return files


def is_published(protocol: str) -> bool:
    """Whether --protocol asks for the published one."""
    if protocol not in ("", "published"):
        raise ChoiceError(f"There is no protocol '{printable(protocol)}': give published.")
    return bool(protocol)


def check_clip(path: str) -> None:
    if os.path.isdir(path):
        raise ClipError(f"'{printable(path)}' is a folder: give one video file.")
    if not os.path.isfile(path):
        raise ClipError(f"There is no file '{printable(path)}': check its name and folder.")


def check_out(path: str | None) -> None:
    """Say before the work that its result cannot be kept."""
    if path is None:
        return
    new = not os.path.lexists(path)
    try:
        open(path, "ab").close()  # nothing short of it tells for every name, folder and disk
    except OSError as error:
        raise ChoiceError(
            f"'{printable(path)}' cannot be written: give a file in a folder that exists and is yours."
        ) from error
    if new:
        os.unlink(path)


def printable(text: str) -> str:
    """Words of a stranger, fit for a terminal: what cannot be printed is left out."""
    return "".join(c for c in text if c.isprintable())[:200]
