import numpy as np
import pytest
import torch
import torchvision.models.video as zoo
from torchvision.models import get_model_weights, list_models

from har_demo.clips import transforms
from har_demo.clips.transforms import crop_boxes, differences, transform
from har_demo.models.card import ModelInput

WEIGHTS = {
    f"{model}-{weights.name}": weights
    for model in list_models(module=zoo)
    for weights in get_model_weights(model)
}


def spec(resize=128, crop=(112, 112), **more):
    return ModelInput(16, 15, resize, crop, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), **more)


def noise(count, height, width):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("height, width", [(340, 604), (150, 113), (256, 256)])
def test_equals_the_preset_of_the_public_weights(name, height, width):
    preset = WEIGHTS[name].transforms()
    resize = preset.resize_size[0] if len(preset.resize_size) == 1 else tuple(preset.resize_size)
    model_input = ModelInput(
        16, 15, resize, tuple(preset.crop_size), tuple(preset.mean), tuple(preset.std)
    )
    frames = noise(3, height, width)
    theirs = preset(torch.from_numpy(frames).permute(0, 3, 1, 2)).permute(1, 0, 2, 3)
    ours = transform(frames, model_input)[0]
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)


def test_chunks_do_not_show(monkeypatch):
    frames = noise(7, 60, 80)
    whole = transform(frames, spec(40, (32, 32)), crops=3)
    monkeypatch.setattr(transforms, "CHUNK", 2)
    assert torch.equal(transform(torch.from_numpy(frames), spec(40, (32, 32)), crops=3), whole)
    assert whole.shape == (3, 7, 3, 32, 32)


def test_long_strips_are_resized_one_by_one(monkeypatch):
    """Enlarged until their short side fits, eight of them would take over a gigabyte."""
    pixels, resize = [], transforms.F.interpolate

    def counted(frames, size, **rest):
        pixels.append(len(frames) * size[0] * size[1])
        return resize(frames, size, **rest)

    monkeypatch.setattr(transforms.F, "interpolate", counted)
    assert transform(noise(3, 18, 2000), spec(256, (224, 224))).shape == (1, 3, 3, 224, 224)
    assert pixels == [256 * int(256 * 2000 / 18)] * 3
    pixels.clear()
    transform(noise(8, 90, 160), spec(256, (224, 224)))
    assert pixels == [8 * 256 * int(256 * 160 / 90)]


def test_antialias_averages_where_the_presets_pick():
    frames = noise(1, 64, 64)
    plain, soft = (transform(frames, spec(16, (16, 16), antialias=a)).std() for a in (False, True))
    assert soft < 0.7 * plain


@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("height, width", [(340, 604), (604, 340), (96, 128)])
@pytest.mark.parametrize(
    "resize, crop", [(128, (112, 112)), ((128, 171), (112, 112)), (64, (64, 48))]
)
def test_crop_boxes_are_what_the_model_sees(crops, height, width, resize, crop):
    """Light up the boxes' inside, then their outside: the crops must see all of it, then none."""
    wanted = spec(resize, crop)
    dark = transform(np.zeros((1, height, width, 3), np.uint8), wanted, crops)
    boxes = crop_boxes(wanted, width, height, crops)
    assert boxes.shape == (crops, 4)
    assert boxes.dtype == np.int64
    for k, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        inside = np.zeros((1, height, width, 3), np.uint8)
        inside[:, top:bottom, left:right] = 255
        light = transform(255 * np.ones_like(inside), wanted, crops)[k]
        middle = (slice(None), slice(None), slice(2, -2), slice(2, -2))
        assert torch.equal(transform(inside, wanted, crops)[k][middle], light[middle])
        assert torch.equal(transform(255 - inside, wanted, crops)[k][middle], dark[k][middle])


@pytest.mark.parametrize("resize", [(112, 112), (128, 171), 128], ids=str)
def test_crop_boxes_end_with_the_frame(resize):
    for side in range(18, 700, 2):
        for width, height in ((side, 340), (340, side)):
            boxes = crop_boxes(spec(resize), width, height, 3)
            assert boxes.min() >= 0
            assert (boxes.max(axis=0)[2:] <= (width, height)).all(), (width, height)


def test_three_crops_go_along_the_long_side():
    across = crop_boxes(spec(), 604, 340, 3)
    assert (across[0, 0], across[2, 2]) == (0, 604)
    assert (across[:, 1] == across[0, 1]).all()
    down = crop_boxes(spec(), 340, 604, 3)
    assert (down[0, 1], down[2, 3]) == (0, 604)
    assert (crop_boxes(spec(), 340, 604, 1)[0] == down[1]).all()


def test_differences_are_of_neighbours():
    x = torch.arange(10.0).square().view(1, 10, 1, 1, 1).expand(2, 10, 3, 4, 4)
    found = differences(x)
    assert found.shape == (2, 9, 3, 4, 4)
    assert found[0, :, 0, 0, 0].tolist() == [1, 3, 5, 7, 9, 11, 13, 15, 17]


@pytest.mark.parametrize(
    "frames, wanted, crops",
    [
        (np.zeros((2, 64, 64, 3), np.float32), spec(), 1),
        (np.zeros((2, 3, 64, 64), np.uint8), spec(), 1),
        (np.zeros((2, 64, 64, 3), np.uint8), spec(32, (64, 64)), 1),
        (np.zeros((2, 64, 64, 3), np.uint8), spec(), 2),
    ],
    ids=["float", "channels first", "crop too large", "two crops"],
)
def test_mistakes_of_the_program_are_named(frames, wanted, crops):
    with pytest.raises(ValueError, match=r"frames are|crop"):
        transform(frames, wanted, crops)
