"""What joins the embedded towers: class vectors out of words alone, then a head that sees motion.

python -m har_demo.prompts.train --out checkpoints
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from har_demo.models.label_sets import KINETICS400, UCF101
from har_demo.prompts import embedded, pictures, sentences
from har_demo.weights.files import sha256

NAMES = ("{}", "a photo of a {}", "a person with a {}")
CENTRED_ON = "a video of a person {}"

FACTS = {
    "what": "joins EfficientNet-Lite0 (ImageNet) and all-MiniLM-L6-v2 to a recogniser of free text",
    "licence": "Apache-2.0",
    "data": [
        {
            "name": "WordNet",
            "citation": "Fellbaum (ed.), WordNet, MIT Press 1998",
            "use": "names and definitions of ImageNet's 1,000 classes, through timm; no picture",
        }
    ],
    "command": "python -m har_demo.prompts.train",
}


@torch.inference_mode()
def image_free(text: nn.Module) -> embedded.Joint:
    """The joint before anything is trained: vectors of ImageNet's classes, and both means.

    A class is the mean of three: its first name in several sentences, all its names, and its WordNet
    definition.
    """
    names, descriptions = pictures.names(), pictures.descriptions()
    vectors = [
        [[one.format(some[0]) for one in NAMES] for some in names],
        [[one.format(name) for name in some for one in NAMES[:2]] for some in names],
        [[f"{some[0]}: {what}"] for some, what in zip(names, descriptions, strict=True)],
    ]
    classes = sum(embedded.class_vectors(part, text) for part in vectors)
    classes = nn.functional.normalize(classes, dim=-1)
    actions = [CENTRED_ON.format(name) for name in (*KINETICS400, *UCF101)]
    joint = embedded.Joint()
    joint.classes.copy_(classes - classes.mean(dim=0))
    joint.centre.copy_(_read(actions, text).mean(dim=0))
    return joint


def _read(texts: list[str], text: nn.Module) -> Tensor:
    parts = [texts[i : i + 64] for i in range(0, len(texts), 64)]
    return torch.cat([text(sentences.tokenize(part)) for part in parts])


def save(joint: embedded.Joint, folder: Path, facts: dict) -> Path:
    """Write what is shipped, in half precision, and beside it what is to be known of it."""
    state = {name: value.half().contiguous() for name, value in joint.state_dict().items()}
    file = folder / embedded.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, file)
    file.chmod(0o644)
    facts = {"file": file.name, "sha256": sha256(file), "bytes": file.stat().st_size} | facts
    file.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description="Join the embedded towers.")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"), help="folder to write")
    arguments = parser.parse_args()
    print(save(image_free(sentences.load()), arguments.out, FACTS))


if __name__ == "__main__":
    main()
