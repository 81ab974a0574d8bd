"""The models of open_clip's registry: CLIP and what came of it, each a model and a tag of its weights.

'ViT-B-32/laion2b_s34b_b79k'       the model, and the weights by their tag; fetched when first used
'local-dir:/some/folder'           open_clip_config.json and weights in a folder of the user's own
"""

import csv
import os
import threading
import warnings
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

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
    "ViT-B-16-SigLIP2/webli",
    "PE-Core-B-16/meta",
)
"""Those to offer first; the others are for people who know what they look for."""

LICENCES = {
    # https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K
    DEFAULT: "MIT",
    # https://github.com/openai/CLIP/blob/main/LICENSE; the card of the copy that is fetched,
    # https://huggingface.co/timm/vit_base_patch16_clip_224.openai, says Apache-2.0.
    "ViT-B-16-quickgelu/openai": "MIT",
    # https://github.com/apple/ml-mobileclip/blob/main/LICENSE_MODELS, apple-amlr on the hub
    "MobileCLIP2-S0/dfndr2b": (
        "Apple Machine Learning Research Model License Agreement (non-commercial research only)"
    ),
    # https://huggingface.co/timm/ViT-B-16-SigLIP2
    "ViT-B-16-SigLIP2/webli": "Apache-2.0",
    # https://huggingface.co/facebook/PE-Core-B16-224 and the README of
    # https://github.com/facebookresearch/perception_models
    "PE-Core-B-16/meta": "Apache-2.0",
}
"""Of the weights, as their publishers state it on the pages named beside them."""

SEE_CARD = "see model card"
MULTILINGUAL = ("i18n", "nllb", "SigLIP2", "worldwide", "xlm")
"""Parts of the names of models whose text encoder learned other languages than English too."""

LOCAL = "local-dir:"
CONFIG = "open_clip_config.json"
ANSWER_SECONDS = 3.0


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


def _repository(name: str) -> tuple[str, str]:
    """The repository on the hub that has a model's weights, and the file in it; '' for open_clip's usual names."""
    from open_clip import get_pretrained_cfg

    repository, file = os.path.split(get_pretrained_cfg(*name.split("/"))["hf_hub"])
    return repository, file


def _cache_folder(name: str) -> Path:
    """huggingface_hub's own, or one in our cache where that lacks the weights and cannot keep them."""
    from huggingface_hub.constants import HF_HUB_CACHE

    own = Path(HF_HUB_CACHE)
    if _fetched(name, own) or (storage.writable(own) and not storage.permanent()):
        return own
    return storage.root() / "huggingface"


def _fetched(name: str, folder: Path) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    repository, file = _repository(name)
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
        schema, tag, kept, weights, inputs = name, None, None, None, None
    else:
        check_name(name)
        _check_reach(name)
        schema, tag = name.split("/")
        kept = str(_cache_folder(name))
        # Weights that are here are read as a file: by its tag, open_clip would ask the hub once more.
        weights, inputs = str(here(name) or tag), open_clip.get_pretrained_cfg(schema, tag)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a tag whose QuickGELU is not the model's
            model = open_clip.create_model(
                schema,
                weights,
                require_pretrained=True,
                force_preprocess_cfg=inputs,
                cache_dir=kept,
            )
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
        english=not any(part in name for part in MULTILINGUAL),
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
    """The licence of the weights, or that the model card tells it."""
    return LICENCES.get(name, SEE_CARD)


def model_card(name: str) -> str:
    """Address of the page on the hub that describes a model."""
    return f"https://huggingface.co/{_repository(name)[0]}"


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
    if not hub_answers():
        raise _missing(name, f"{host()} does not answer")


def _missing(name: str, why: str) -> WeightsError:
    about = f" (about {megabytes(size(name))})" if size(name) else ""
    return WeightsError(
        f"The weights of {name}{about} are not here and {why}: connect this machine to the network, "
        "or ask the embedded recogniser, which needs none."
    )


def host() -> str:
    """The hub's host: huggingface.co unless HF_ENDPOINT names another."""
    from huggingface_hub.constants import ENDPOINT

    return urlsplit(ENDPOINT).hostname or ENDPOINT


def hub_answers() -> bool:
    """Whether the hub answers within ANSWER_SECONDS, asked as huggingface_hub asks, proxies and all."""
    answers: list[bool] = []
    # Looking up a name can hang far longer than any timeout of a connection.
    asking = threading.Thread(target=lambda: answers.append(_reached()), daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return any(answers)


def _reached() -> bool:
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.utils import get_session

    try:
        return get_session().head(ENDPOINT, timeout=ANSWER_SECONDS).status_code < 400
    except Exception:  # whatever a proxy, a name server or the hub does, it is no answer
        return False


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
