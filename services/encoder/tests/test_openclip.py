"""open_clip's models, for real: small architectures with random weights on disk, compared with open_clip itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import sklearn
import timm
import torch
from open_clip.push_to_hf_hub import save_for_hf
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file
from sightline_encoder import models
from sightline_encoder.errors import ModelError
from sightline_encoder.models import openclip, openclip_resolver
from sightline_encoder.models.memory_check import needed_memory
from sightline_encoder.runtimes.openvino_runtime import OpenVinoRuntime
from sightline_encoder.runtimes.torch_runtime import TorchRuntime
from sightline_encoder.runtimes.tower import BATCH, TowerSource
from sightline_encoder.settings import EncoderSettings
from sightline_pictures import preprocess
from structlog.testing import capture_logs
from timm.models import save_for_hf as save_for_timm
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

TEXTS = ["a cat", "Two dogs, running on the beach!", "", "x" * 500, "東京 &amp; 🙂", "the <end_of_text> of words"]
TEXT_CFG = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2}
VIT = {"embed_dim": 32, "quick_gelu": True, "text_cfg": TEXT_CFG}
VIT["vision_cfg"] = {"image_size": 64, "layers": 3, "width": 64, "head_width": 16, "patch_size": 16}
RESNET = {"embed_dim": 32, "text_cfg": TEXT_CFG}
RESNET["vision_cfg"] = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None}
SIGLIP = {"embed_dim": 64, "init_logit_bias": -10, "custom_text": True}
SIGLIP["vision_cfg"] = {"image_size": 224, "timm_model_name": "test_vit", "timm_model_pretrained": False}
SIGLIP["vision_cfg"] |= {"timm_pool": "map", "timm_proj": "none"}
SIGLIP["text_cfg"] = {"context_length": 16, "vocab_size": 40, "hf_tokenizer_name": "own", "width": 64, "heads": 4}
SIGLIP["text_cfg"] |= {"layers": 2, "no_causal_mask": True, "proj_bias": True, "pool_type": "last"}
SIGLIP["text_cfg"] |= {"tokenizer_kwargs": {"clean": "canonicalize"}}


def encode_images(model, pictures):
    return model.encode_pixels([preprocess(picture, model.preprocessing) for picture in pictures])


def cosines(first, second):
    return (first * second).sum(axis=1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return EncoderSettings(cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", params=["torch", "openvino"])
def runtime(request):
    return TorchRuntime(threads=1) if request.param == "torch" else OpenVinoRuntime(threads=2)


@pytest.fixture(scope="module")
def pictures():
    folder = Path(sklearn.__file__).parent / "datasets" / "images"
    pictures = [Image.open(folder / name).convert("RGB") for name in ("china.jpg", "flower.jpg")]
    return [*pictures, pictures[0].crop((0, 0, 90, 400)), pictures[1].resize((50, 20))]


@pytest.fixture(scope="module")
def architectures(tmp_path_factory):
    """Register small architectures with open_clip, as its own are: a JSON file each."""
    folder = tmp_path_factory.mktemp("architectures")
    for name, config in {"tiny-vit": VIT, "tiny-resnet": RESNET, "tiny-siglip": SIGLIP}.items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder)


def random_model(name):
    torch.manual_seed(7)
    model = open_clip.create_model(name, pretrained_text=False).eval()
    with torch.no_grad():
        # Statistics of a network that has seen pictures; without them its vectors are all alike.
        model.train()
        size = np.broadcast_to(model.visual.image_size, 2)
        for _ in range(20):
            model.encode_image(torch.randn(8, 3, *size) + torch.randn(8, 3, 1, 1))
        model.eval()
        # Weights as they are before training give every text nearly the same vector.
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2)
    return model


@pytest.fixture(scope="module", params=["tiny-vit", "tiny-resnet"])
def saved(request, architectures, tmp_path_factory):
    """Return an architecture and a file of weights for it."""
    file = tmp_path_factory.mktemp("weights") / f"{request.param}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in random_model(request.param).state_dict().items()}, file)
    return request.param, file


def directly(name, pretrained, pictures):
    """Return what open_clip itself makes of the pictures and TEXTS."""
    model, _, transform = open_clip.create_model_and_transforms(name, pretrained)
    tokenizer = open_clip.get_tokenizer(name)
    model.eval()
    with torch.inference_mode():
        images = model.encode_image(torch.stack([transform(picture) for picture in pictures]), normalize=True)
        texts = model.encode_text(tokenizer(TEXTS), normalize=True)
    return images.numpy(), texts.numpy()


def test_weights_alone_by_path_give_what_open_clip_gives(saved, runtime, settings, pictures):
    name, file = saved
    model = models.load(f"path:{file}@{name}", settings, runtime)
    images, texts = directly(name, str(file), pictures)
    # The vectors differ enough from each other for the comparison to mean something.
    assert (images @ images.T).min() < 0.99
    assert (texts @ texts.T).min() < 0.99
    assert cosines(encode_images(model, pictures), images).min() >= 0.999
    assert cosines(model.encode_texts(TEXTS), texts).min() >= 0.999
    assert cosines(model.encode_texts(TEXTS[:1]), texts[:1]).min() >= 0.999
    assert (model.dimensions, model.context_length) == (32, 77)
    assert model.runtime == runtime.name


def test_the_fingerprint_is_of_the_weights_and_not_of_where_they_lie(saved, settings, tmp_path):
    name, file = saved
    first = models.describe(f"path:{file}@{name}", settings)
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(file.read_bytes())
    assert models.describe(f"path:{copy}@{name}", settings).fingerprint == first.fingerprint
    model = open_clip.create_model(name)
    save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()}, copy)
    assert models.describe(f"path:{copy}@{name}", settings).fingerprint != first.fingerprint


@pytest.fixture(scope="module")
def siglip(architectures, tmp_path_factory):
    """Save a SigLIP-like model in open_clip's hub layout, with its own tokenizer and preprocessing."""
    folder = tmp_path_factory.mktemp("siglip")
    words = ["<pad>", "</s>", "<unk>", "a", "cat", "dog", "dogs", "two", "running", "on", "the", "beach", "x"]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", padding_side="right"
    )
    model = random_model("tiny-siglip")
    model.visual.preprocess_cfg |= {
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    save_for_hf(model, fast, SIGLIP, folder, safe_serialization=True)
    return folder


def test_a_siglip_like_folder_gives_what_open_clip_gives(siglip, runtime, settings, pictures):
    model = models.load(f"local-dir:{siglip}", settings, runtime)
    images, texts = directly(f"local-dir:{siglip}", None, pictures)
    assert (images @ images.T).min() < 0.99
    assert (texts @ texts.T).min() < 0.99
    assert cosines(encode_images(model, pictures), images).min() >= 0.999
    assert cosines(model.encode_texts(TEXTS), texts).min() >= 0.999
    assert model.preprocessing.resize_mode == "squash"
    assert model.context_length == 16


def test_what_openvino_cannot_run_runs_on_torch_and_says_so_where_told_not_to(siglip, settings, pictures, tmp_path):
    for file in siglip.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "open_clip_config.json").read_text())
    # At another size than it was made for, this network resizes its position embeddings by an operation of torch's own.
    config["model_cfg"]["vision_cfg"]["image_size"] = 160
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    automatic = settings.model_copy(update={"device": "cpu", "threads": 1})
    model = models.load(f"local-dir:{tmp_path}", automatic)
    assert model.runtime == "torch"
    images, _ = directly(f"local-dir:{tmp_path}", None, pictures)
    assert cosines(encode_images(model, pictures), images).min() >= 0.999
    with pytest.raises(ModelError, match="ENCODER_RUNTIME=torch"):
        models.load(f"local-dir:{tmp_path}", automatic.model_copy(update={"runtime": "openvino"}))


def test_a_hub_model_is_served_from_the_hubs_cache_without_a_network(siglip, tmp_path):
    """In a process of its own, since Hugging Face's library reads its environment when it is imported."""
    repository = tmp_path / "models--someone--siglip"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    # What the hub has said it does not have is remembered so.
    absent = repository / ".no_exist" / ("a" * 40)
    absent.mkdir(parents=True)
    (absent / "config.json").touch()
    for file in siglip.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    config = json.loads((snapshot / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "someone/siglip"
    (snapshot / "open_clip_config.json").write_text(json.dumps(config))
    code = (
        "import sys; from pathlib import Path; from sightline_encoder import models;"
        "from sightline_encoder.settings import EncoderSettings;"
        "settings = EncoderSettings(cache_dir=Path(sys.argv[1]), runtime='torch', device='cpu', threads=1);"
        "model = models.load('hf-hub:someone/siglip', settings);"
        "print(model.id, *model.encode_texts(['two dogs']).shape)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "cache")],
        # A hub that is not there: whoever asks it fails.
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout.split() == ["hf-hub:someone/siglip", "1", "64"], result.stderr
    assert "Retry" not in result.stderr


@pytest.fixture(scope="module", params=["test_vit", "test_efficientnet"])
def seen_by(request, tmp_path_factory):
    """Save a small timm model with random weights in timm's layout; return its folder and the model."""
    torch.manual_seed(3)
    model = timm.create_model(request.param, pretrained=False, num_classes=0).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2)
    folder = tmp_path_factory.mktemp("timm")
    save_for_timm(model, folder, safe_serialization=True)
    return folder, model


def test_a_timm_model_gives_visual_vectors_beside(saved, seen_by, runtime, settings, pictures):
    (name, file), (folder, network) = saved, seen_by
    plain = models.load(f"path:{file}@{name}", settings, runtime)
    seeing_settings = settings.model_copy(update={"visual_model": f"local-dir:{folder}"})
    seeing = models.load(f"path:{file}@{name}", seeing_settings, runtime)
    assert seeing.fingerprint != plain.fingerprint
    assert seeing.reranking is None
    assert seeing.visual_dimensions == network.num_features
    pixels = np.stack([preprocess(picture, seeing.preprocessing) for picture in pictures])
    both = seeing.encode_pixels(pixels, visual=True)
    # Not nearer: where the processor has bf16, each network's check decides for itself whether that is exact enough.
    assert cosines(both[:, :32], plain.encode_pixels(pixels)).min() >= 0.999
    assert cosines(seeing.encode_texts(TEXTS), plain.encode_texts(TEXTS)).min() >= 0.999
    # The same pixels, normalised as the timm model wants them.
    config = timm.data.resolve_model_data_config(network)
    mean, std = (np.array(config[key]).reshape(1, 1, 1, 3) for key in ("mean", "std"))
    options = {"img_size": 64} if "vit" in network.pretrained_cfg["architecture"] else {}
    sized = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0, **options)
    with torch.inference_mode():
        wanted = sized.eval()(torch.from_numpy((pixels / 255 - mean) / std).permute(0, 3, 1, 2).float()).numpy()
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert cosines(both[:, 32:], wanted).min() >= 0.999
    # What was made without them is searched by the same networks meanwhile.
    assert seeing.before.fingerprint == plain.fingerprint
    assert seeing.before.visual_dimensions == 0
    assert cosines(seeing.before.encode_pixels(pixels), plain.encode_pixels(pixels)).min() >= 0.999


def test_results_are_put_in_order_only_if_that_is_chosen_and_the_model_has_a_visual_vector(saved, seen_by, settings):
    name, file = saved
    chosen = settings.model_copy(update={"rerank": "true"})
    assert models.describe(f"path:{file}@{name}", chosen).reranking is None
    seeing = chosen.model_copy(update={"visual_model": f"local-dir:{seen_by[0]}"})
    described = models.describe(f"path:{file}@{name}", seeing)
    assert described.reranking is not None
    assert described.before.reranking is None


def test_a_visual_model_that_is_none_is_named(saved, settings):
    name, file = saved
    wrong = settings.model_copy(update={"visual_model": "no_such_network"})
    with pytest.raises(ModelError, match="ENCODER_VISUAL_MODEL=no_such_network"):
        models.describe(f"path:{file}@{name}", wrong)


@pytest.mark.parametrize("is_converted", [False, True])
def test_a_model_that_needs_more_memory_than_there_is_is_told_of(saved, settings, monkeypatch, is_converted):
    name, file = saved
    runtime = OpenVinoRuntime(threads=1)
    gib, weights = 2**30, file.stat().st_size
    needed = needed_memory(weights, converts=not is_converted)
    monkeypatch.setattr(OpenVinoRuntime, "is_converted", lambda *_: is_converted)
    for available, is_told in ((needed, False), (needed - 1, True), (None, False)):
        monkeypatch.setattr("sightline_encoder.models.memory_check.available_memory", lambda known=available: known)
        with capture_logs() as logs:
            models.load(f"path:{file}@{name}", settings, runtime, lambda _: None)
        told = [line for line in logs if "memory" in line["event"]]
        assert len(told) == is_told
        if is_told:
            assert "ENCODER_MEMORY" in told[0]["event"]
            assert told[0]["needed_gib"] == round(needed / gib, 1)
            assert ("converted" in told[0]["when"]) != is_converted


def test_a_first_start_converts_in_another_process(architectures, tmp_path):
    """So that what it takes for that is given back; where that process fails, this one converts."""
    folder, cache = tmp_path / "vit", tmp_path / "cache"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": VIT, "preprocess_cfg": {}}))
    torch.save(random_model("tiny-vit").state_dict(), folder / "open_clip_pytorch_model.bin")
    code = (
        "import sys; from sightline_encoder.bootstrap import load_models;"
        "from sightline_encoder.settings import EncoderSettings;"
        "*_, last = load_models(EncoderSettings()); print(len(last.models))"
    )
    environment = {**os.environ, "ENCODER_CACHE_DIR": str(cache), "ENCODER_MODELS": f"local-dir:{folder}"}
    environment |= {"ENCODER_DEVICE": "cpu", "ENCODER_RUNTIME": "openvino"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert result.stdout.split()[-1:] == ["1"], result.stderr
    # The log of the other process is on its standard error, and of this one on the standard output.
    assert "converting" in result.stderr
    assert "converting" not in result.stdout
    for path in cache.glob("openvino-*/text.*"):
        path.unlink()
    asked = []
    changed = EncoderSettings(cache_dir=cache)
    model = models.load(f"local-dir:{folder}", changed, OpenVinoRuntime(threads=1), asked.append)
    assert asked == [f"local-dir:{folder}"]
    assert model.encode_texts(["two dogs"]).shape == (1, 32)


@pytest.mark.parametrize("damaged", [("text.bin", b"short"), ("text.xml", b"<nonsense")], ids=lambda pair: pair[0])
def test_a_damaged_conversion_is_made_anew(damaged, tmp_path):
    file, content = damaged
    torch.manual_seed(1)
    layer = torch.nn.Linear(3, 5)
    ids = np.ones((4, 3), np.float32)
    source = TowerSource("text", lambda: layer, (ids,), {"input": {0: BATCH}}, "f" * 64, (5,))
    runtime = OpenVinoRuntime(threads=1, precision="f32")
    before = runtime.compile(source, tmp_path)(ids)
    [path] = tmp_path.glob(f"*/{file}")
    path.write_bytes(content)
    after = runtime.compile(source, tmp_path)(ids)
    assert np.abs(before - after).max() < 1e-6
    assert np.abs(before - layer(torch.from_numpy(ids)).detach().numpy()).max() < 1e-5


def test_another_preprocessing_is_another_fingerprint(siglip, settings, tmp_path):
    before = models.describe(f"local-dir:{siglip}", settings).fingerprint
    for file in siglip.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert models.describe(f"local-dir:{tmp_path}", settings).fingerprint == before
    config = json.loads((tmp_path / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["mean"] = [0.4, 0.5, 0.5]
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    assert models.describe(f"local-dir:{tmp_path}", settings).fingerprint != before


@pytest.mark.parametrize(
    "architecture", ["tiny-siglip", "ViT-B-16-SigLIP", "MobileCLIP-S1", "xlm-roberta-base-ViT-B-32"]
)
def test_weights_alone_are_refused_where_they_would_silently_be_wrong(architecture, siglip, settings):
    file = siglip / "open_clip_model.safetensors"
    with pytest.raises(ModelError, match=f"{architecture} .*local-dir:FOLDER"):
        models.load(f"path:{file}@{architecture}", settings)


@pytest.mark.parametrize(
    ("model_id", "says"),
    [
        ("path:/nowhere.safetensors@ViT-B-32", "no file /nowhere.safetensors"),
        ("path:/nowhere.safetensors", "path:FILE@ARCH"),
        (f"path:{__file__}@ViT-B-32", "does not end in"),
        ("local-dir:/nowhere", "open_clip_config.json is missing"),
        ("ViT-B-32/no_such_tag", "laion2b_s34b_b79k"),
        ("No-Such-Arch/tag", "no architecture 'No-Such-Arch'"),
        ("nonsense", "it takes embedded, ARCH/TAG"),
    ],
)
def test_names_that_are_wrong(model_id, says, settings):
    with pytest.raises(ModelError, match=says):
        models.load(model_id, settings)


def test_weights_of_another_architecture_are_refused(saved, settings, runtime, tmp_path):
    name, file = saved
    other = {"tiny-vit": "tiny-resnet", "tiny-resnet": "tiny-vit"}[name]
    with pytest.raises(ModelError, match="the weights do not load"):
        models.load(f"path:{file}@{other}", settings.model_copy(update={"cache_dir": tmp_path}), runtime)


def test_a_pickle_that_would_run_code_is_not_loaded(architectures, settings, tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="do not load"):
        models.load(f"path:{tmp_path / 'evil.pt'}@tiny-vit", settings, TorchRuntime(threads=1))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("size", [(500, 300), (300, 501), (64, 64), (40, 31), (3, 200), (333, 64)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_preprocessing_is_open_clips(size, mode, interpolation):
    cfg = PreprocessCfg(size=64, resize_mode=mode, interpolation=interpolation, fill_color=90)
    random = np.random.default_rng(3)
    picture = Image.fromarray(random.integers(0, 255, (9, 9, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    mean, std = (np.array(values).reshape(1, 1, 3) for values in (cfg.mean, cfg.std))
    expected = image_transform_v2(cfg, is_train=False)(picture).permute(1, 2, 0).numpy() * std + mean
    ours = preprocess(picture, openclip._preprocessing("x", cfg)) / 255
    assert np.abs(expected - ours).max() <= 1.5 / 255


def test_a_tag_whose_activation_is_not_its_architectures_is_loaded_with_the_tags(monkeypatch, architectures, tmp_path):
    """`ViT-B-32/openai`: open_clip warns, and then uses the activation that the weights were not trained with."""
    seen = {}
    monkeypatch.setattr(openclip_resolver, "download_pretrained", lambda cfg: tmp_path / "weights.bin")
    resolved = openclip_resolver.resolve("ViT-B-32/openai")
    monkeypatch.setattr(
        openclip.open_clip, "create_model", lambda *_, **options: seen.update(options) or torch.nn.Identity()
    )
    openclip._load("x", resolved)
    assert seen["quick_gelu"] is True
    assert resolved.architecture["quick_gelu"] is True
