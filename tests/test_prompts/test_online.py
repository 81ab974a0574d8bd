"""open_clip's models are loaded as open_clip loads them, and none is ever put in another's place."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from har_demo import storage
from har_demo.errors import ChoiceError, WeightsError
from har_demo.prompts import answer, catalogue, online
from har_demo.prompts.prepare import Preparation
from har_demo.weights import hub
from tests.media import numbered_frames
from tests.test_prompts.conftest import TINY

OFFERED = "ViT-B-32/laion2b_s34b_b79k"


@pytest.fixture
def no_network(monkeypatch):
    """Whoever tries to fetch fails the test; nothing was fetched before."""

    def refuse(*arguments, **named):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(online, "here", lambda name: None)
    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("open_clip.create_model", refuse)


def test_every_model_and_tag_of_the_registry_is_listed():
    import open_clip

    known = {f"{model}/{tag}" for model, tag in open_clip.list_pretrained()}
    assert set(online.names()) == known and len(online.names()) == len(known)
    assert online.names()[: len(online.RECOMMENDED)] == online.RECOMMENDED


def test_cards_say_size_licence_and_state(monkeypatch):
    monkeypatch.setattr(online, "here", lambda name: None)
    cards = {card.name: card for card in catalogue.image_text_models()}
    assert next(iter(cards)) == "embedded" and len(cards) == len(online.names()) + 1
    offered = cards[OFFERED]
    assert offered.state == "download" and offered.recommended
    assert offered.bytes == 4 * 151_277_313  # counted by others too
    assert "605 MB" in offered.sentence and "Licence: MIT." in offered.sentence
    assert cards["ViT-B-16-quickgelu/openai"].bytes == 4 * 149_620_737
    unknown = [card.name for card in cards.values() if not card.bytes]
    # Their text encoders are described by a file that is fetched too.
    assert all(name.startswith(("nllb", "roberta", "xlm")) for name in unknown)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert catalogue.card(OFFERED).state == "missing"


def test_licences_are_those_of_the_publishers_or_on_the_model_card(monkeypatch):
    monkeypatch.setattr(online, "here", lambda name: None)
    for card in catalogue.image_text_models()[1:]:
        assert card.link.startswith("https://huggingface.co/") and card.link.count("/") == 4
        if card.recommended:
            assert card.licence in online.LICENCES.values()
        else:
            assert card.licence == "see model card" and card.link in card.sentence
    assert set(online.LICENCES) == set(online.RECOMMENDED) and len(online.RECOMMENDED) == 5
    assert any("SigLIP2" in name for name in online.RECOMMENDED)
    assert any(name.startswith("PE-") for name in online.RECOMMENDED)
    apple = catalogue.card("MobileCLIP2-S0/dfndr2b").licence
    assert "Apple Machine Learning Research Model License Agreement" in apple


def test_models_of_many_languages_are_known_by_their_names():
    """By open_clip's own spelling: what it lists for SigLIP 2, MetaCLIP 2, NLLB and XLM-RoBERTa."""
    many = {n for n in online.names() if any(part in n for part in online.MULTILINGUAL)}
    assert {"ViT-B-16-SigLIP2/webli", "ViT-B-16-SigLIP-i18n-256/webli"} <= many
    assert {"nllb-clip-base/v1", "xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k"} <= many
    assert "ViT-H-14-worldwide-quickgelu/metaclip2_worldwide" in many
    assert all(any(part in name for name in many) for part in online.MULTILINGUAL)
    spelt = {name for name in online.names() if "siglip2" in name.lower()}
    assert len(spelt) > 10 and spelt <= many
    assert not many & {online.DEFAULT, "ViT-B-16-SigLIP/webli", "PE-Core-B-16/meta"}


def test_without_network_a_sentence_says_what_is_missing(clip, no_network, monkeypatch):
    monkeypatch.setattr(online, "hub_answers", lambda: False)
    monkeypatch.setattr(online, "host", lambda: "huggingface.co")
    with pytest.raises(WeightsError) as said:
        answer.ask(clip, ["walking"], OFFERED)
    assert str(said.value) == (
        "The weights of ViT-B-32/laion2b_s34b_b79k (about 605 MB) are not here and huggingface.co "
        "does not answer: connect this machine to the network, or ask the embedded recogniser, "
        "which needs none."
    )


def test_offline_nothing_is_tried(clip, no_network, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.offline()
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        answer.ask(clip, ["walking"], OFFERED)


def test_a_hub_that_never_answers_is_given_up(monkeypatch):
    import threading

    hung_up, ended = threading.Event(), threading.Event()

    def stuck():
        hung_up.wait(60)
        ended.set()
        return True

    monkeypatch.setattr(online, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(online, "_reached", stuck)
    assert not online.hub_answers()
    assert not ended.is_set(), "it waited for the hub"
    hung_up.set()


@pytest.mark.parametrize(("status", "answers"), [(200, True), (302, True), (403, False)])
def test_a_hub_that_answers(monkeypatch, status, answers):
    class Session:
        def head(self, address, timeout):
            assert timeout == online.ANSWER_SECONDS == 3.0
            return type("Response", (), {"status_code": status})

    monkeypatch.setattr("huggingface_hub.utils.get_session", Session)
    assert online.hub_answers() is answers


def test_nobody_listens_at_the_hub_of_the_tests():
    assert not online.hub_answers() and online.host() == "127.0.0.1"


def test_a_fetch_that_fails_is_a_sentence(clip, monkeypatch):
    def fail(*arguments, **named):
        raise RuntimeError("Failed to download weights for tag")

    monkeypatch.setattr(online, "_check_reach", lambda name: None)
    monkeypatch.setattr("open_clip.create_model", fail)
    with pytest.raises(WeightsError, match="fetching them failed"):
        catalogue.load(OFFERED)


def test_a_local_checkpoint_gives_what_open_clip_gives(tiny):
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(tiny)
    model.eval()
    tokens = open_clip.get_tokenizer(tiny)(["a person walks", "cooking"])
    frames = numbered_frames(3)
    pixels = torch.stack([preprocess(Image.fromarray(frame)) for frame in frames])
    loaded = catalogue.load(tiny, "cpu")
    with torch.inference_mode():
        image = model.encode_image(pixels, normalize=True)
        text = model.encode_text(tokens, normalize=True)
    assert torch.allclose(loaded.texts(["a person walks", "cooking"]), text, atol=1e-5)
    assert torch.allclose(loaded.over_time(loaded.look(pixels)), image, atol=1e-5)
    assert loaded.scale == pytest.approx(float(model.logit_scale.detach().exp()))
    assert loaded.preparation == Preparation(
        (32, 32), (0.48, 0.46, 0.41), (0.27, 0.26, 0.28), "bicubic", "shortest"
    )
    # Our pixels are PIL's but for the rounding of a grey level here and there.
    ours = loaded.preparation.pixels(frames)
    assert (ours - pixels).abs().max() < 3 / 255 / 0.26
    assert (ours - pixels).abs().mean() < 0.2 / 255 / 0.26


def test_the_tokenizer_is_open_clips(tiny):
    import open_clip

    loaded, theirs = catalogue.load(tiny, "cpu"), open_clip.get_tokenizer("ViT-B-32")
    sentences = ["", "A Person  WALKS!", "émile 🚴 跑步", "a person walks " * 40]
    assert torch.equal(loaded.tokenize(sentences), theirs(sentences))
    short, long = loaded.reading("a person walks"), loaded.reading("walks " * 100)
    assert (short.tokens, short.limit, short.cut, short.read) == (5, 77, False, "a person walks")
    assert (long.tokens, long.cut) == (102, True)
    assert long.read == " ".join(["walks"] * 75)


@pytest.mark.parametrize("resize", ["shortest", "squash"])
@pytest.mark.parametrize("size", [(192, 144), (100, 180)])
def test_pixels_are_those_of_open_clip(resize, size):
    from open_clip.transform import PreprocessCfg, image_transform_v2

    means = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    theirs = image_transform_v2(
        PreprocessCfg(size=48, mean=means[0], std=means[1], resize_mode=resize), is_train=False
    )
    frames = numbered_frames(2, size)
    wanted = torch.stack([theirs(Image.fromarray(frame)) for frame in frames])
    ours = Preparation((48, 48), *means, resize=resize).pixels(frames)
    assert ours.shape == wanted.shape
    assert (ours - wanted).abs().mean() < 0.5 / 255 / 0.2


def test_the_box_is_what_is_seen():
    whole = Preparation((32, 32), (0, 0, 0), (1, 1, 1), resize="squash")
    middle = Preparation((32, 32), (0, 0, 0), (1, 1, 1))
    assert whole.box(192, 144) == (0, 0, 192, 144)
    left, top, right, bottom = middle.box(192, 144)
    assert (top, bottom) == (0, 144) and 144 <= right - left <= 147 and left + right == 192
    frame = np.zeros((1, 144, 192, 3), np.uint8)
    frame[:, :, left:right] = 255
    assert (middle.pixels(frame)[..., 1:-1] > 0.9).all()


def test_a_folder_that_is_not_in_the_format(tmp_path):
    with pytest.raises(WeightsError, match=r"open_clip_config\.json"):
        catalogue.load(f"{online.LOCAL}{tmp_path}")
    (tmp_path / online.CONFIG).write_text("{}")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        catalogue.load(f"{online.LOCAL}{tmp_path}")


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-32/nobody", "../etc", "", "a/b/c"])
def test_names_that_open_clip_does_not_know(name):
    with pytest.raises(ChoiceError, match="There is no image-text model"):
        catalogue.card(name)


def test_models_are_loaded_once_and_few_are_kept(tiny):
    assert catalogue.load(tiny, "cpu") is catalogue.load(tiny, "cpu")
    catalogue.forget()
    assert len(catalogue._kept) == 0


def test_what_models_can_do_is_said():
    assert "39 everyday actions" in catalogue.about("embedded")
    assert "not on videos" in catalogue.about(OFFERED)


def test_a_library_that_does_not_load_is_not_called_a_failed_fetch(monkeypatch):
    def fail(*arguments, **named):
        raise ImportError("planted")

    monkeypatch.setattr(online, "_check_reach", lambda name: None)
    monkeypatch.setattr("open_clip.create_model", fail)
    with pytest.raises(ImportError, match="planted"):
        catalogue.load(OFFERED)


def test_weights_that_are_here_and_do_not_load_are_not_called_a_failed_fetch(monkeypatch, tmp_path):
    def fail(*arguments, **named):
        raise RuntimeError("planted")

    monkeypatch.setattr(online, "_fetched", lambda name, folder: tmp_path / "weights.safetensors")
    monkeypatch.setattr("open_clip.create_model", fail)
    with pytest.raises(RuntimeError, match="planted"):
        catalogue.load(OFFERED)


def test_weights_that_are_here_are_read_without_the_hub(monkeypatch, tmp_path):
    """As a file, with the preprocessing of their tag: the same network as by the tag."""
    import open_clip

    torch.manual_seed(0)
    tag = "ViT-B-16-SigLIP/webli"  # whose preprocessing is not the model's own
    config = open_clip.get_model_config("ViT-B-32") | TINY
    file = tmp_path / "open_clip_model.safetensors"
    save_file(open_clip.CLIP(**TINY).state_dict(), file)
    monkeypatch.setattr(online, "here", lambda name: file)
    monkeypatch.setattr("open_clip.factory.get_model_config", lambda name: dict(config))
    monkeypatch.setattr("open_clip.get_tokenizer", lambda *names, **more: None)

    def refuse(*arguments, **named):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("open_clip.factory.download_pretrained", refuse)
    loaded = online.load(tag)
    assert loaded.preparation == Preparation(
        (32, 32), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bicubic", "squash"
    )
    assert torch.equal(loaded.network.ln_final.weight, torch.ones(32))
    assert loaded.provenance[0].sha256


def test_where_the_own_folder_cannot_be_written_weights_go_to_our_cache(monkeypatch, tmp_path):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(blocked))
    assert online._cache_folder(OFFERED) == storage.root() / "huggingface"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "own"))
    assert online._cache_folder(OFFERED) == tmp_path / "own"
