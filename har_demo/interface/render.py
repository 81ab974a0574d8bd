"""HTML from templates/, escaped by default: file names and labels come from strangers."""

from base64 import b64encode
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values) -> Markup:
    """Fill `templates/<template>.html`; the result is safe to place in another template."""
    return Markup(_TEMPLATES.get_template(f"{template}.html").render(**values))


def notice(sentence: str, kind: str = "error") -> Markup:
    """One sentence to the person, as 'error' or 'warn'."""
    return render("notice", sentence=sentence, kind=kind)


def static(name: str) -> str:
    """Text of a file in static/."""
    return (_HERE / "static" / name).read_text(encoding="utf-8")


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
