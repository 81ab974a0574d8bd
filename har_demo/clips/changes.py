"""What was done to a file so that models can look at it, in plain words: for pages, commands and programs."""

from har_demo.clips.clip import Clip


def changes(clip: Clip) -> list[str]:
    """A sentence for each change between the file and the copy that models read; [] when there is none."""
    source = clip.source
    said = [
        _rate(clip),
        _turn(clip),
        f"Brightness and colours: HDR ({source.hdr}) became ordinary video (tone mapping, white at 203 cd/m²)."
        if source.hdr
        else "",
        "Fields: interlaced pictures, woven of two moments each, were de-interlaced."
        if source.interlaced
        else "",
        _size(clip),
        "Shape: it changes on the way; what has another shape than the first frame stands on black."
        if source.reshaped
        else "",
        f"Time: the clock leapt {_times(source.leaps)}, and the gaps were closed."
        if source.leaps
        else "",
        f"Time: the picture begins {source.delay:.3g} s after the sound; its first frame is held until then."
        if source.delay
        else "",
        "Damage: the file is damaged or was cut off; this is the part that could be read."
        if source.truncated
        else "",
    ]
    return [sentence for sentence in said if sentence]


def _rate(clip: Clip) -> str:
    if clip.source.variable_rate:
        return (
            f"Rate: the variable rate became {clip.fps:.4g} frames a second; "
            "a frame is held until the next one comes."
        )
    if abs(clip.fps / clip.source.fps - 1) > 0.001:
        return f"Rate: {clip.source.fps:.4g} frames a second became {clip.fps:.4g}."
    return ""


def _turn(clip: Clip) -> str:
    turn, mirrored = clip.source.rotation, clip.source.mirrored
    if mirrored and turn == 180:
        return "Turn: mirrored top to bottom, as the camera noted."
    parts = [f"turned upright by {turn}° clockwise"] * bool(turn) + [
        "mirrored left to right"
    ] * mirrored
    return f"Turn: {' and '.join(parts)}, as the camera noted." if parts else ""


def _size(clip: Clip) -> str:
    source = clip.source
    if (source.width, source.height) == (clip.width, clip.height) and source.pixel_aspect == 1:
        return ""
    if source.pixel_aspect != 1:
        return (
            f"Size: the picture, whose pixels were not square, became {clip.width} × {clip.height}."
        )
    return f"Size: {source.width} × {source.height} pixels became {clip.width} × {clip.height}."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
