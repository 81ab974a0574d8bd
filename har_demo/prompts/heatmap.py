"""Heat maps of a prompt over frames, at the true resolution of the image encoder's grid.

Three kinds of models, three ways, none of which invents detail the grid does not have:

- the embedded one: where I3D's weights are here, every cell of I3D's 7 × 7 grid is classified like a clip, and
  compared with the actions that the prompt means (har_demo.prompts.kinetics_grid); elsewhere every cell of the
  image encoder's 7 × 7 grid is classified like a picture, and put into words;
- CLIP's vision transformers: every patch is projected as the whole picture is, from the values of the last
  layer and without its attention, which mixes the patches (MaskCLIP, Zhou et al., ECCV 2022);
- others, which have no such vectors: how much the similarity would gain from each cell, by its gradient
  (Grad-CAM, Selvaraju et al., ICCV 2017).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import crop_boxes
from har_demo.errors import ChoiceError
from har_demo.models import registry
from har_demo.prompts import catalogue, kinetics, words
from har_demo.prompts.answer import MOST_FRAMES, Reader, embed_texts
from har_demo.prompts.image_text import ImageTextModel
from har_demo.prompts.kinetics_grid import action_cells
from har_demo.recognize.open_set import KINETICS_MODEL
from har_demo.threads import in_one_thread

IMAGE_ENCODER = "the image encoder"


@dataclass(frozen=True)
class HeatMap:
    """Heat map of one prompt over some frames.

    Attributes:
        prompt, model: whose.
        values: float32 [T, rows, columns], a number for each cell of the grid.
        kind: 'similarity' when they are cosines or, of I3D, probabilities, comparable between frames and
            prompts; 'relevance' when they are gains, 0 or more, comparable within one frame.
        frames: int64 [T], which frames of the clip.
        box: left, top, right, bottom in pixels of the clip: the part of a frame that the grid covers.
        size: width and height of the clip's frames, in pixels.
        grid_of: whose last grid it is: 'the image encoder', or the title of I3D's card.
    """

    prompt: str
    model: str
    values: np.ndarray = field(repr=False)
    kind: Literal["similarity", "relevance"]
    frames: np.ndarray
    box: tuple[int, int, int, int]
    size: tuple[int, int]
    grid_of: str = IMAGE_ENCODER

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.values.shape[1:]

    def overlay(self) -> np.ndarray:
        """float32 [T, height, width] in 0..1 on the clip's frames: each cell one flat rectangle.

        The least value of all frames is 0 and the greatest is 1; NaN where the model does not look.
        """
        low, high = self.values.min(), self.values.max()
        shares = (self.values - low) / max(high - low, 1e-9)
        width, height = self.size
        left, top, right, bottom = self.box
        y = np.arange(max(top, 0), min(bottom, height))
        x = np.arange(max(left, 0), min(right, width))
        rows = ((y - top) * self.grid[0] // (bottom - top)).clip(0, self.grid[0] - 1)
        columns = ((x - left) * self.grid[1] // (right - left)).clip(0, self.grid[1] - 1)
        drawn = np.full((len(shares), height, width), np.nan, np.float32)
        drawn[:, y[0] : y[-1] + 1, x[0] : x[-1] + 1] = shares[:, rows[:, None], columns[None]]
        return drawn


def heat(
    clip: Clip,
    prompt: str,
    frames: Sequence[int],
    model: str | None = None,
    templates: Sequence[str] = words.PLAIN,
    device: str | torch.device | None = None,
    read: Reader | None = None,
) -> HeatMap:
    """Return the heat map of a prompt over some frames of a clip.

    Args:
        clip: from har_demo.clips.ingest.
        prompt: one sentence.
        frames: numbers of the clip's frames, such as `Answer.frames` or one of `Answer.best`.
        model, templates, device, read: as for `ask`.

    Raises:
        ChoiceError: there is no prompt or no such frame, or the model has no grid to show.
        WeightsError: the model is not here and cannot be fetched.
    """
    (text,) = words.normalise_prompts([prompt]).texts
    numbers = np.asarray(frames, dtype=np.int64)
    if not 1 <= numbers.size <= MOST_FRAMES:
        raise ChoiceError(f"Choose 1 to {MOST_FRAMES} frames to see where the prompt matches.")
    if numbers.min() < 0 or numbers.max() >= clip.frames:
        raise ChoiceError(f"The clip has frames 0 to {clip.frames - 1}: choose among them.")
    asked = catalogue.load(model, device)
    sentence = embed_texts(asked, [text], words.check_templates(templates))[0]
    box, grid_of = asked.preparation.box(clip.width, clip.height), IMAGE_ENCODER
    if asked.actions is not None and kinetics.here():
        values = action_cells(clip, numbers, asked.actions, sentence, read, asked.device)
        kind, i3d = "similarity", registry.card(KINETICS_MODEL)
        left, top, right, bottom = crop_boxes(i3d.input, clip.width, clip.height)[0].tolist()
        box, grid_of = (left, top, right, bottom), i3d.title
    else:
        pixels = asked.preparation.pixels((read or read_frames)(clip, numbers), asked.device)
        values, kind = cells(asked, pixels, sentence)
    return HeatMap(
        prompt=text,
        model=asked.name,
        values=values.float().cpu().numpy(),
        kind=kind,
        frames=numbers,
        box=box,
        size=(clip.width, clip.height),
        grid_of=grid_of,
    )


@in_one_thread
def cells(
    model: ImageTextModel, pixels: Tensor, sentence: Tensor
) -> tuple[Tensor, Literal["similarity", "relevance"]]:
    """A number for each cell, float [T, rows, columns], and which kind it is."""
    grid = _embedded_grid if hasattr(model.network, "joint") else _patches
    with torch.inference_mode():
        vectors = grid(model.network, pixels)
        if vectors is not None:
            return F.normalize(vectors.float(), dim=-1) @ sentence, "similarity"
    layer = _last_grid(model.network.visual)
    if layer is None:
        raise ChoiceError(
            f"{model.name} has no grid that says where something is: choose another model for that."
        )
    return _gains(model.network.encode_image, layer, pixels, sentence.clone()), "relevance"


def _embedded_grid(model: nn.Module, pixels: Tensor) -> Tensor:
    """Every cell in words: [T, rows, columns, D]."""
    grid = model.image.forward_features(pixels).movedim(1, -1)
    return model.joint.looks(model.image.classifier(grid))


def _patches(model: nn.Module, pixels: Tensor) -> Tensor | None:
    """Every patch of a vision transformer of CLIP's kind, [T, rows, columns, D]; else None."""
    visual = model.visual
    wanted = ("conv1", "ln_post", "proj", "transformer", "patch_size")
    if not all(hasattr(visual, part) for part in wanted):
        return None
    last = visual.transformer.resblocks[-1]
    if visual.proj is None or not isinstance(getattr(last, "attn", None), nn.MultiheadAttention):
        return None
    kept = []
    hook = last.register_forward_pre_hook(lambda module, given: kept.append(given[0]))
    try:
        visual(pixels)
    finally:
        hook.remove()
    x = last.ln_1(kept[0])
    if not visual.transformer.batch_first:
        x = x.transpose(0, 1)
    width = x.shape[-1]
    values = F.linear(x, last.attn.in_proj_weight[2 * width :], last.attn.in_proj_bias[2 * width :])
    patches = visual.ln_post(last.attn.out_proj(values))[:, 1:] @ visual.proj
    rows = pixels.shape[-2] // visual.patch_size[0]
    return patches.unflatten(1, (rows, -1))


def _last_grid(visual: nn.Module) -> nn.Module | None:
    """The last layer whose output still says where something is."""
    if hasattr(visual, "layer4"):
        return visual.layer4
    trunk = getattr(visual, "trunk", None)
    for name in ("blocks", "stages"):
        if isinstance(getattr(trunk, name, None), (nn.Sequential, nn.ModuleList)):
            return getattr(trunk, name)[-1]
    return None


def _gains(
    encode: Callable[[Tensor], Tensor], layer: nn.Module, pixels: Tensor, sentence: Tensor
) -> Tensor:
    """Grad-CAM of a layer, float [T, rows, columns], 0 or more."""
    kept = []
    hook = layer.register_forward_hook(lambda module, given, result: kept.append(result))
    try:
        with torch.enable_grad():
            similarity = F.normalize(encode(pixels.clone().requires_grad_()).float(), dim=-1)
            (gradient,) = torch.autograd.grad((similarity @ sentence).sum(), kept[0])
    finally:
        hook.remove()
    if kept[0].ndim == 4:  # [T, C, rows, columns] weighs its channels, as the paper does
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        return (weights * kept[0]).sum(dim=1).relu().detach()
    gains = (gradient * kept[0]).sum(dim=-1).relu().detach()
    side = int(gains.shape[1] ** 0.5)
    return gains[:, -side * side :].unflatten(1, (side, side))
