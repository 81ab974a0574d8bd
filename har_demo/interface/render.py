"""HTML from the templates of the shell and of the pages, escaped: file names and labels come from strangers."""

from base64 import b64encode
from pathlib import Path

import cv2
import numpy as np
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent
_PAGES = {folder.parent.name: folder for folder in sorted(_HERE.glob("pages/*/templates"))}
_TEMPLATES = Environment(
    loader=ChoiceLoader(
        [
            FileSystemLoader(_HERE / "templates"),
            PrefixLoader({page: FileSystemLoader(folder) for page, folder in _PAGES.items()}),
        ]
    ),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values) -> Markup:
    """Fill a template; the result is safe to place in another one.

    Args:
        template: 'header' of the shell, or 'flow/pair' of the page Flow.
    """
    return Markup(_TEMPLATES.get_template(f"{template}.html").render(**values))


def fragment(template: str, macro: str, **values) -> Markup:
    """Fill one macro of a template, such as 'about' of 'flow/parts'."""
    return getattr(_TEMPLATES.get_template(f"{template}.html").module, macro)(**values)


def notice(sentence: str, kind: str = "error") -> Markup:
    """One sentence to the person, as 'error' or 'warn'."""
    return fragment("parts", "notice", sentence=sentence, kind=kind)


def loading(title: str) -> Markup:
    """A place that is filled when the page has been opened; `title` is what will stand there."""
    return fragment("parts", "loading", title=title)


def source(path: str) -> str:
    """Text of a style or script beside this file, such as 'static/page.js' or 'pages/flow/style.css'."""
    return (_HERE / path).read_text(encoding="utf-8")


def styles() -> str:
    """The shell's styles, then those of each page."""
    paths = [_HERE / "static" / "style.css", *sorted(_HERE.glob("pages/*/style.css"))]
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def data_uri(image: np.ndarray, height: int | None = None, quality: int = 80) -> str:
    """A uint8 RGB image [H, W, 3] as a JPEG inside a data: address, scaled to `height` pixels."""
    if height and image.shape[0] > height:
        width = max(1, round(image.shape[1] * height / image.shape[0]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as JPEG")
    return "data:image/jpeg;base64," + b64encode(jpeg.tobytes()).decode()
