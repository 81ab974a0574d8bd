"""HDR of known light becomes the ordinary picture it was made of, and highlights keep their order."""

import numpy as np

from har_demo.clips.tone import mapped

from .make import hdr_codes


def test_every_colour_comes_back():
    colours = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    for curve in ("HLG", "PQ"):
        off = np.abs(mapped(hdr_codes(colours, curve), curve).astype(int) - colours)
        assert off.max() <= 8
        assert off[colours.max(axis=-1) < 200].mean() < 1


def test_highlights_rise_to_white_and_keep_their_hue():
    ramp = np.linspace(0, 65535, 512).astype(np.uint16)
    for curve in ("HLG", "PQ"):
        gray = mapped(np.repeat(ramp[None, :, None], 3, axis=2), curve)[0].astype(int)
        assert (np.diff(gray[:, 1]) >= 0).all() and gray[0].max() == 0 and gray[-1].min() == 255
        assert np.ptp(gray, axis=1).max() <= 1, "gray stays gray"
    orange = mapped(np.array([[[60000, 52000, 40000]]], np.uint16), "HLG")[0, 0]
    assert orange[0] > orange[1] > orange[2]
