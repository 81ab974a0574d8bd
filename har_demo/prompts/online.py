"""The models of open_clip's registry: CLIP and what came of it, each a model and a tag of its weights.

'ViT-B-32/laion2b_s34b_b79k'       the model, and the weights by their tag; fetched when first used
'local-dir:/some/folder'           open_clip_config.json and weights in a folder of the user's own
"""

import csv
import os
import socket
import threading
import warnings
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch

from har_demo import storage
from har_demo.errors import ChoiceError, WeightsError
from har_demo.prompts.image_text import ImageTextModel, Reading
from har_demo.prompts.prepare import Preparation
from har_demo.weights import Provenance, hub
from har_demo.weights.state import megabytes, sha256

DEFAULT = "ViT-B-32/laion2b_s34b_b79k"
RECOMMENDED = (
    DEFAULT,
    "ViT-B-16-quickgelu/openai",
    "MobileCLIP2-S0/dfndr2b",
    "ViT-B-16-SigLIP/webli",
)
"""Those to offer first; the others are for people who know what they look for."""

LICENCES = {
    "ViT-B-32/openai": "MIT",
    "ViT-B-32-quickgelu/openai": "MIT",
    "ViT-B-16/openai": "MIT",
    "ViT-B-16-quickgelu/openai": "MIT",
}

LOCAL = "local-dir:"
CONFIG = "open_clip_config.json"
HOST = "huggingface.co"
ANSWER_SECONDS = 4.0


@cache
def names() -> tuple[str, ...]:
    """Every model and tag of open_clip's registry, the recommended ones first."""
    from open_clip import list_pretrained

    known = [f"{model}/{tag}" for model, tag in list_pretrained()]
    first = [name for name in RECOMMENDED if name in known]
    return (*first, *(name for name in known if name not in first))


@cache
def parameters() -> dict[str, int]:
    """Parameters of each of open_clip's models, as counted from its definitions."""
    with (files(__package__) / "open_clip_sizes.csv").open(encoding="utf-8") as file:
        return {row["model"]: int(row["parameters"]) for row in csv.DictReader(file)}


def size(name: str) -> int:
    """About how many bytes are to be fetched: four for each parameter; 0 where it is not known."""
    return 4 * parameters().get(name.split("/")[0], 0)


def here(name: str) -> Path | None:
    """The file of a model's weights that was fetched earlier, or None. Nothing is fetched."""
    return _fetched(name, _cache_folder(name))


def _cache_folder(name: str) -> Path:
    """huggingface_hub's own, or one in our cache where that lacks the weights and cannot be written."""
    from huggingface_hub.constants import HF_HUB_CACHE

    own = Path(HF_HUB_CACHE)
    return own if _fetched(name, own) or storage.writable(own) else storage.root() / "huggingface"


def _fetched(name: str, folder: Path) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from open_clip import get_pretrained_cfg

    repository, file = os.path.split(get_pretrained_cfg(*name.split("/"))["hf_hub"])
    candidates = [file] if file else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    for candidate in candidates:
        found = try_to_load_from_cache(repository, candidate, cache_dir=folder)
        if isinstance(found, str):
            return Path(found)
    return None


def load(name: str, device: torch.device | str = "cpu") -> ImageTextModel:
    """An image-text model by its name, its weights fetched where they are not here.

    Raises:
        ChoiceError: open_clip knows no such model or tag.
        WeightsError: the weights are not here and cannot be fetched, or do not fit.
    """
    import open_clip

    if name.startswith(LOCAL):
        folder = Path(name.removeprefix(LOCAL))
        if not (folder / CONFIG).is_file():
            raise WeightsError(f"'{folder.name}' holds no {CONFIG}: give a folder in its format.")
        schema, tag, kept = name, None, None
    else:
        check_name(name)
        _check_reach(name)
        schema, tag = name.split("/")
        kept = str(_cache_folder(name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a tag whose QuickGELU is not the model's
            model = open_clip.create_model(schema, tag, require_pretrained=True, cache_dir=kept)
            tokenizer = open_clip.get_tokenizer(schema, cache_dir=kept)
    except (OSError, RuntimeError, ValueError) as error:
        if tag is None:
            raise WeightsError(
                f"The folder '{folder.name}' cannot be loaded: give {CONFIG} and the weights of the "
                "model that it describes."
            ) from error
        if here(name):
            raise
        raise _missing(name, "fetching them failed") from error
    # The padding of SigLIP's tokens is read by its encoders, so nothing is cut off here.
    model.eval().requires_grad_(False).to(device)
    return ImageTextModel(
        name=name,
        title=f"open_clip {name}" if tag else f"open_clip, own folder {folder.name}",
        network=model,
        tokenize=tokenizer,
        reading=lambda text: reading(tokenizer, text),
        preparation=_preparation(open_clip.get_model_preprocess_cfg(model)),
        provenance=(_provenance(name),),
        device=torch.device(device),
        english="i18n" not in name and "xlm" not in name and "SigLIP2" not in name,
    )


def reading(tokenizer, text: str) -> Reading:
    """Return the part of a sentence that one of open_clip's tokenizers reads."""
    limit = tokenizer.context_length
    if hasattr(tokenizer, "encode"):  # CLIP's own, whose marks of begin and end are added later
        pieces = tokenizer.encode(text)
        if len(pieces) + 2 <= limit:
            return Reading(len(pieces) + 2, limit, text)
        return Reading(len(pieces) + 2, limit, tokenizer.decode(pieces[: limit - 2]).strip())
    pieces = tokenizer.tokenizer(text)["input_ids"]
    if len(pieces) <= limit:
        return Reading(len(pieces), limit, text)
    shown = tokenizer.tokenizer.decode(pieces[:limit], skip_special_tokens=True)
    return Reading(len(pieces), limit, shown)


def licence(name: str) -> str:
    """Whose licence the weights have; 'unknown' but for those that their publisher states."""
    return LICENCES.get(name, "unknown")


def check_name(name: str) -> None:
    """ChoiceError when open_clip knows no such model and tag."""
    if name not in names():
        raise ChoiceError(
            f"There is no image-text model '{name[:60]}': choose 'embedded' or one of open_clip's, "
            f"such as '{DEFAULT}'."
        )


def _check_reach(name: str) -> None:
    """WeightsError at once when the weights are not here and nothing can be fetched."""
    if here(name):
        return
    if hub.offline():
        raise _missing(name, "HF_HUB_OFFLINE is set")
    if not _answers(HOST):
        raise _missing(name, f"{HOST} does not answer")


def _missing(name: str, why: str) -> WeightsError:
    about = f" (about {megabytes(size(name))})" if size(name) else ""
    return WeightsError(
        f"The weights of {name}{about} are not here and {why}: connect this machine to the network, "
        "or ask the embedded recogniser, which needs none."
    )


def _answers(host: str) -> bool:
    """Return True when a host can be reached, after ANSWER_SECONDS at most."""
    if any(
        os.environ.get(key) for key in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HF_ENDPOINT")
    ):
        return True  # then it is not this machine that must reach it
    reached = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection((host, 443), timeout=ANSWER_SECONDS).close()
            reached.set()
        except OSError:
            pass

    # Looking up a name can hang far longer than any timeout of a socket.
    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return reached.is_set()


def _preparation(said: dict) -> Preparation:
    """open_clip's preprocessing of a model in our words."""
    side = said["size"]
    return Preparation(
        size=(side, side) if isinstance(side, int) else tuple(side),
        mean=tuple(said["mean"]),
        std=tuple(said["std"]),
        interpolation="bilinear" if said["interpolation"] == "bilinear" else "bicubic",
        resize="squash" if said["resize_mode"] == "squash" else "shortest",
    )


def _provenance(name: str) -> Provenance:
    if name.startswith(LOCAL):
        folder = Path(name.removeprefix(LOCAL))
        file = next(
            path
            for path in sorted(folder.iterdir())
            if path.suffix in (".safetensors", ".bin", ".pt")
        )
        return Provenance("user", file.name, sha256(file), f"from the folder {folder.name}")
    file = here(name)
    if file is None:
        return Provenance("hub", name, "", "fetched by open_clip")
    return Provenance("hub", file.name, sha256(file), f"fetched by open_clip for {name}")
