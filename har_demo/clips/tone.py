"""HDR becomes SDR: pictures coded with HLG or PQ, shown as a player on an ordinary screen shows them.

    code value ──table──▶ light of the scene or screen ──▶ cd/m² / 203 ──▶ BT.709 primaries ──▶ shoulder ──▶ gamma 2.4

FFmpeg as PyAV brings it has neither zscale nor libplacebo, and what its lut3d interpolates is too coarse for
saturated colours, so this is arithmetic on the small picture, with the curves as tables.
Sources: ITU-R BT.2100-2 (tables 4 and 5: the curves; HLG on a screen of 1000 cd/m², system gamma 1.2),
BT.2408-7 (white of SDR at 203 cd/m²), BT.1886 (gamma 2.4), BT.2087-0 (BT.2020 to BT.709).

| light, as a share of white | becomes |
|---|---|
| 0 to 0.85 | itself |
| more | 0.85 + 0.15 tanh((light − 0.85) / 0.15), so that white is 0.96 and nothing clips |

The shoulder is applied to the largest of red, green and blue, and the others follow: hues stay.
"""

from functools import cache

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace

from har_demo.clips.picture import HDR

WHITE = 203.0  # cd/m²
SCREEN = 1000.0  # cd/m², of HLG
SHOULDER = 0.85
LEVELS = 65536
LUMINANCE = (0.2627, 0.6780, 0.0593)  # of BT.2020
TO_BT709 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
P3_TO_BT709 = ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979))


def tone_mapped(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """An HDR frame scaled to `width` × `height`, as rgb24 with the colours of BT.709."""
    scaled = frame.reformat(
        width,
        height,
        format="rgb48le",
        src_colorspace=Colorspace.BT2020,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    narrow = frame.color_primaries == ColorPrimaries.SMPTE432
    picture = mapped(scaled.to_ndarray(), HDR[frame.color_trc], P3_TO_BT709 if narrow else TO_BT709)
    return av.VideoFrame.from_ndarray(picture, format="rgb24")


def mapped(
    codes: np.ndarray, curve: str, primaries: tuple[tuple[float, ...], ...] = TO_BT709
) -> np.ndarray:
    """Code values uint16 [H, W, 3] of 'HLG' or 'PQ' to those of ordinary video, uint8 [H, W, 3].

    Args:
        primaries: rows of the matrix from linear light of the film to that of BT.709.
    """
    table = _light(curve)
    light = [table[codes[..., colour]] for colour in range(3)]
    if curve == "HLG":
        gain = _system_gain()[(_mixed(light, LUMINANCE) * (LEVELS - 1)).astype(np.uint16)]
        light = [colour * gain for colour in light]
    light = [np.maximum(_mixed(light, row), 0) for row in primaries]
    peak = np.maximum(np.maximum(light[0], light[1]), light[2])
    bright = peak > SHOULDER
    if bright.any():
        above = (peak[bright] - SHOULDER) / (1 - SHOULDER)
        gain = (SHOULDER + (1 - SHOULDER) * np.tanh(above)) / peak[bright]
        for colour in light:
            colour[bright] *= gain
    picture = np.empty(codes.shape, np.uint8)
    for colour, plane in enumerate(light):
        picture[..., colour] = _gamma()[(plane * (LEVELS - 1) + 0.5).astype(np.uint16)]
    return picture


def _mixed(light: list[np.ndarray], weights: tuple[float, ...]) -> np.ndarray:
    red, green, blue = (
        colour * np.float32(weight) for colour, weight in zip(light, weights, strict=True)
    )
    red += green
    red += blue
    return red


@cache
def _light(curve: str) -> np.ndarray:
    """Light of each code value: of the scene (0 to 1) for HLG, in shares of white for PQ."""
    code = np.linspace(0, 1, LEVELS)
    if curve == "HLG":
        a = 0.17883277
        b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
        found = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        m1, m2 = 2610 / 16384, 2523 / 4096 * 128
        c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
        root = code ** (1 / m2)
        found = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * (10_000 / WHITE)
    return found.astype(np.float32)


@cache
def _system_gain() -> np.ndarray:
    """What a screen of SCREEN cd/m² makes of HLG's light, in shares of white, by luminance of the scene."""
    return (np.linspace(0, 1, LEVELS) ** 0.2 * (SCREEN / WHITE)).astype(np.float32)


@cache
def _gamma() -> np.ndarray:
    """Code value uint8 of each of LEVELS steps of light."""
    return (np.linspace(0, 1, LEVELS) ** (1 / 2.4) * 255 + 0.5).astype(np.uint8)
