"""One decoded frame becomes one picture of the copy: scaled, upright, in colours that are noted.

A display matrix turns and mirrors in one step (Facing). What has another shape than the film's first
frame stands on black. YUV keeps its matrix, which is noted in the copy, since players and decord go by
the note; where the film notes none, it is BT.709 from 720 lines on and BT.601 below, as players assume.
"""

from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

SHORT_SIDE = 340  # pixels of the copy, at most, unless a model needs more
MOST_LINES = 1080
LONG_SIDE = 4096
SMALLEST_SIDE = 16  # encoders want at least a block: a 1×1 video is stretched
UNREADABLE_WIDTHS = {16, 24, 48, 72}  # decord 0.6 fails on videos that narrow; two more will do
HD_HEIGHT, HD_WIDTH = 720, 1280
BT709, BT601 = 1, 6  # numbers of ITU-T H.273, as are the keys below
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
HDR = {int(ColorTrc.SMPTE2084): "PQ", int(ColorTrc.ARIB_STD_B67): "HLG"}
"""Transfer characteristics that are tone-mapped (har_demo.clips.tone), with their names."""
BLACK = (16, 128, 128)


@dataclass(frozen=True)
class Facing:
    """How a frame is put upright: rows and columns swapped first, then left and right, top and bottom.

    >>> Facing(swap=True, left_right=True).turns, Facing(left_right=True).turns
    ((1, False), (0, True))
    """

    swap: bool = False
    left_right: bool = False
    top_bottom: bool = False

    @property
    def turns(self) -> tuple[int, bool]:
        """The same as clockwise quarter turns, then whether left and right are swapped."""
        if self.swap:
            return (1, not self.left_right) if not self.top_bottom else (3, self.left_right)
        return (2, not self.left_right) if self.top_bottom else (0, self.left_right)


def facing(frame: av.VideoFrame) -> Facing:
    """What the frame's display matrix asks for; phones film sideways and front cameras mirrored.

    A matrix [[a, b], [c, d]] shows the point (x, y) at (a x + c y, b x + d y). Angles between quarter
    turns become the nearest one.
    """
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 knows no EXIF, which some photographs of a film carry
        return {90: Facing(True, False, True), -90: Facing(True, True)}.get(
            frame.rotation, Facing(False, *[abs(frame.rotation) == 180] * 2)
        )
    if matrix is None:
        return Facing()
    a, b, _, c, d = memoryview(bytes(matrix)).cast("i")[:5]  # type: ignore[call-overload]
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Facing(True, c < 0, b < 0)
    return Facing(False, a < 0, d < 0)


def copy_size(
    width: int, height: int, aspect: Fraction, lines: int = SHORT_SIDE
) -> tuple[int, int]:
    """(width, height) of the copy: square pixels, even sides.

    Args:
        width, height: pixels of the film, before it is turned upright.
        aspect: width of one pixel in heights of it.
        lines: pixels of the copy's short side, at most.

    >>> copy_size(1920, 1080, Fraction(1)), copy_size(720, 576, Fraction(16, 15))
    ((604, 340), (452, 340))
    >>> copy_size(175, 99, Fraction(1)), copy_size(1, 1, Fraction(1))
    ((174, 98), (18, 18))
    """
    sides = width * aspect, Fraction(height)
    scale = min(Fraction(1), lines / min(sides), LONG_SIDE / max(sides))
    even = (max(SMALLEST_SIDE, 2 * int(side * scale / 2)) for side in sides)
    across, down = (side + 2 * (side in UNREADABLE_WIDTHS) for side in even)
    return across, down


def pixel_aspect(stated: Fraction | None) -> Fraction:
    """Width of a pixel in heights of it; 1 when the file says nothing or nothing believable."""
    return stated if stated and Fraction(1, 4) <= stated <= 4 else Fraction(1)


def matrix_of(frame: av.VideoFrame) -> int:
    """The matrix between the frame's YUV and RGB: what it notes, else what players assume."""
    if frame.colorspace in MATRICES:
        return int(frame.colorspace)
    return BT709 if frame.height >= HD_HEIGHT or frame.width >= HD_WIDTH else BT601


@dataclass(frozen=True)
class Shape:
    """The pictures of a copy.

    Attributes:
        width, height: of each, upright.
        ratio: width to height of the film's pictures as they are seen, upright.
        matrix: between YUV and RGB, a key of MATRICES.
        primaries, transfer: of the film, as it notes them.
    """

    width: int
    height: int
    ratio: Fraction
    matrix: int
    primaries: int
    transfer: int

    def note_colours(self, encoder: av.VideoCodecContext) -> None:
        """Note in the copy what its colours mean, so that every reader turns them to RGB alike."""
        encoder.color_range = ColorRange.MPEG
        encoder.colorspace = self.matrix
        encoder.color_primaries, encoder.color_trc = self.primaries, self.transfer


def shape_of(first: av.VideoFrame, aspect: Fraction, lines: int = SHORT_SIDE) -> Shape:
    """The copy's pictures, from the film's first frame, the width of its pixels and the most lines."""
    size, ratio = copy_size(first.width, first.height, aspect, lines), seen_ratio(first, aspect)
    if facing(first).swap:
        size = size[::-1]
    if first.color_trc in HDR:
        return Shape(*size, ratio, BT709, ColorPrimaries.BT709, ColorTrc.BT709)
    rgb = first.format.is_rgb or "pal" in first.format.name
    matrix = BT601 if rgb else matrix_of(first)
    return Shape(*size, ratio, matrix, int(first.color_primaries), int(first.color_trc))


def seen_ratio(frame: av.VideoFrame, aspect: Fraction) -> Fraction:
    """Width to height of a frame as it is seen, upright and with square pixels."""
    ratio = frame.width * aspect / frame.height
    return 1 / ratio if facing(frame).swap else ratio


def upright(frame: av.VideoFrame, aspect: Fraction, shape: Shape) -> av.VideoFrame:
    """The frame as yuv420p of the copy's shape, on black where its own is another."""
    turn, ratio = facing(frame), seen_ratio(frame, aspect)
    width, height = shape.width, shape.height
    if abs(ratio / shape.ratio - 1) > 0.02:
        if ratio < shape.ratio:
            width = max(2, 2 * round(width * ratio / shape.ratio / 2))
        else:
            height = max(2, 2 * round(height * shape.ratio / ratio / 2))
    picture = _scaled(frame, *((height, width) if turn.swap else (width, height)), shape.matrix)
    if turn == Facing() and (width, height) == (shape.width, shape.height):
        return picture
    import numpy as np  # late: few films need it, and a process is started for each

    planes = []
    for plane, black, part in zip(picture.planes, BLACK, (1, 2, 2), strict=True):
        # PyAV's stubs do not say that a plane is a buffer.
        flat = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
        rows = flat.reshape(plane.height, plane.line_size)[:, : plane.width]
        rows = rows.T if turn.swap else rows
        rows = rows[:: -1 if turn.top_bottom else 1, :: -1 if turn.left_right else 1]
        whole = np.full((shape.height // part, shape.width // part), black, np.uint8)
        top, left = (np.array(whole.shape) - rows.shape) // 2
        whole[top : top + rows.shape[0], left : left + rows.shape[1]] = rows
        planes.append(whole.ravel())
    joined = np.concatenate(planes).reshape(shape.height * 3 // 2, shape.width)
    return av.VideoFrame.from_ndarray(joined, format="yuv420p")


def _scaled(frame: av.VideoFrame, width: int, height: int, matrix: int) -> av.VideoFrame:
    """A frame at `width` × `height` as yuv420p of limited range, in the copy's matrix."""
    source = MATRICES[matrix_of(frame)]
    if frame.color_trc in HDR:
        from har_demo.clips.tone import tone_mapped  # late, as numpy

        frame = tone_mapped(frame, width, height)
    rgb = frame.format.is_rgb or "pal" in frame.format.name
    if frame.format.name == "bgr24":  # FFmpeg's own way from it to YUV is off by up to 4 of 255
        frame = frame.reformat(format="gbrp")
    return frame.reformat(
        width,
        height,
        format="yuv420p",
        src_colorspace=MATRICES[matrix] if rgb else source,
        dst_colorspace=MATRICES[matrix],
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
