"""Flow to take away: .flo files in a zip, a coloured video, a table."""

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from har_demo.clips.writer import write_video
from har_demo.flow.colour import coloured
from har_demo.flow.files import write_flo
from har_demo.flow.look import FlowResult, file_of

COLUMNS = (
    "frame",
    "seconds",
    "method",
    "mean_px",
    "p99_px",
    "mean_px_without_camera",
    "frame_difference",
    "difference_after_warping",
)


def write_fields(found: FlowResult, folder: Path, without_camera: bool = False) -> list[Path]:
    """A .flo file for every pair and method, named after the method and the first frame."""
    files = []
    for number, way in enumerate(found.ways):
        for pair in range(len(found.pairs)):
            files.append(file_of(folder, way.method, found.pairs[pair]))
            write_flo(files[-1], found.field(number, pair, without_camera))
    return files


def write_zip(found: FlowResult, file: Path, without_camera: bool = False) -> None:
    """The same as one archive, with the table beside them."""
    with TemporaryDirectory(dir=file.parent) as folder:
        table = Path(folder) / "motion.csv"
        write_table(found, table)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for one in (table, *write_fields(found, Path(folder), without_camera)):
                archive.write(one, one.name)


def write_film(
    found: FlowResult,
    file: Path,
    without_camera: bool = False,
    on_progress: Callable[[float], None] = lambda done: None,
) -> None:
    """The frames and the coloured flow of every method side by side, H.264, as fast as the clip."""
    scale = found.scale(without_camera)
    apart = np.diff(found.pairs[:, 0]).mean() if len(found.pairs) > 1 else 1.0

    def pictures():
        for pair in range(len(found.pairs)):
            fields = [found.field(way, pair, without_camera) for way in range(len(found.ways))]
            yield np.hstack([found.frames(pair)[0], *(coloured(one, scale) for one in fields)])
            on_progress((pair + 1) / len(found.pairs))

    write_video(file, pictures(), found.clip.fps / apart)


def write_table(found: FlowResult, file: Path) -> None:
    """A row for every pair and method."""
    with open(file, "w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        table.writerow(COLUMNS)
        for way in found.ways:
            figures = (way.means, way.tops, way.own_means, way.changes, way.left)
            for pair, values in enumerate(zip(*figures, strict=True)):
                moment = (int(found.pairs[pair, 0]), f"{found.seconds()[pair]:.4f}", way.method)
                table.writerow([*moment, *(f"{value:.4f}" for value in values)])
