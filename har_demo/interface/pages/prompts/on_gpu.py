"""Frames are encoded on a GPU where one is lent, texts never: they take the processor no time.

The vectors come back into this process, where they are kept for the next question about the clip.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from har_demo import device
from har_demo.clips.clip import Clip
from har_demo.interface import gpu
from har_demo.interface.run import Job
from har_demo.models import registry
from har_demo.prompts import answer, catalogue, embedded, kinetics, online
from har_demo.prompts.answer import EncodedFrames
from har_demo.recognize.open_set import KINETICS_MODEL


def encode(
    job: Job, tell: gpu.Tell, clips: Sequence[Clip], name: str, frames: int, windows: int
) -> tuple[dict[str, EncodedFrames], str]:
    """Encode frames of clips for the next call of `ask` or `search`, if that gains from a GPU.

    Args:
        job: whose Stop ends it.
        tell: shows progress.
        clips: those that are not known yet are encoded.
        name: of the image-text model, which is loaded here for the texts.
        frames, windows: as for `har_demo.prompts.answer.embed_clip`.

    Returns:
        What was encoded on a GPU by hash of the clip, with its times, and the GPU's name.
    """
    if not device.zero_gpu():
        return {}, ""
    tell(0.0, "Loading the model")
    model = catalogue.load(name)
    new = [clip for clip in clips if answer.encoded(clip, model, frames, windows) is None]
    duration = gpu.seconds(len(new) * frames * gmacs(model.name))
    if not duration:
        return {}, ""
    found, machine = gpu.call(
        tell, job.flag, duration, encode_clips, new, model.name, frames, windows
    )
    for clip, seen in zip(new, found, strict=True):
        answer.keep(clip, model, frames, windows, seen)
    return {clip.sha256: seen for clip, seen in zip(new, found, strict=True)}, machine


def gmacs(name: str) -> float:
    """Return the multiply-adds of one frame, in 10⁹, estimated from the model's configuration.

    A layer of a transformer has 12 · width² parameters, and each is used once for every patch. For other
    image encoders they are those of as many patches as 224 × 224 pixels have at a patch of 16. The
    embedded recogniser is tiny, but for I3D beside it: a share of its windows for each frame.
    """
    if name == embedded.NAME:
        windows = kinetics.WINDOWS if kinetics.here() else 0
        i3d = registry.card(KINETICS_MODEL)
        usual = i3d.views.frames if i3d.views else i3d.input.frames
        return windows * i3d.gmacs * usual / i3d.input.frames / answer.FRAMES
    from open_clip import get_model_config

    vision = (get_model_config(name.split("/")[0]) or {}).get("vision_cfg", {})
    if isinstance(vision.get("layers"), int) and vision.get("patch_size"):
        patches = (vision.get("image_size", 224) // vision["patch_size"]) ** 2 + 1
        return 12 * vision["layers"] * vision["width"] ** 2 * patches / 1e9
    return online.size(name) / 4 * 0.5 * 197 / 1e9


def encode_clips(
    clips: Sequence[Clip], name: str, frames: int, windows: int, tell: gpu.Tell
) -> tuple[list[EncodedFrames], str]:
    """Encode frames of clips in whichever process; vectors lie on the processor."""
    model = catalogue.load(name)
    found = []
    for number, clip in enumerate(clips):

        def told(share: float, number: int = number) -> None:
            tell((number + share) / len(clips), "Looking at the frames")

        seen = answer.embed_clip(clip, model, frames, told, windows=windows)
        video = None if seen.video is None else seen.video.cpu()
        found.append(replace(seen, moments=seen.moments.cpu(), video=video))
    on_gpu = model.device.type == "cuda"
    return found, torch.cuda.get_device_name() if on_gpu else model.device.type
