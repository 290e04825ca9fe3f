"""The model `embedded`, for real: both runtimes, real pictures, the recipe's parts."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from PIL import Image
from sightline.encoder.client import BULK, EncoderClient, RawPixels
from sightline_encoder import models
from sightline_encoder.errors import ModelError
from sightline_encoder.models import embedded, files
from sightline_encoder.models.embedded import conse, imagenet
from sightline_encoder.runtimes.openvino_runtime import OpenVinoRuntime
from sightline_encoder.runtimes.torch_runtime import TorchRuntime
from sightline_encoder.settings import EncoderSettings
from sightline_pictures import open_picture, preprocess
from sightline_pictures.proto import from_proto

TEXTS = ["a temple", "a flower", "", "Ein Wörterbuch, 東京 & 🙂", "a very long story " * 200]


def cosines(first, second):
    return (first * second).sum(axis=1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return EncoderSettings(cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def exact(settings):
    """The model in torch's float32."""
    return models.load("embedded", settings, TorchRuntime(threads=1))


@pytest.fixture(scope="module")
def served(settings, exact):
    """The model in OpenVINO as it is served. After `exact`, whose names' vectors are in the cache."""
    return models.load("embedded", settings, OpenVinoRuntime(threads=2))


@pytest.fixture(scope="module")
def photographs():
    folder = Path(sklearn.__file__).parent / "datasets" / "images"
    return [(folder / name).read_bytes() for name in ("china.jpg", "flower.jpg")]


@pytest.fixture(scope="module")
def pixels(photographs):
    """Return preprocessed pictures: the photographs, and parts and turns of them."""
    pictures = [Image.open(BytesIO(data)).convert("RGB") for data in photographs]
    pictures += [picture.crop((100, 50, 420, 300)) for picture in pictures]
    pictures += [picture.rotate(90, expand=True) for picture in pictures]
    pictures += [picture.convert("L").convert("RGB") for picture in pictures[:3]]
    return np.stack([preprocess(picture, embedded.PREPROCESSING) for picture in pictures])


@pytest.mark.parametrize("name", ["exact", "served"])
def test_a_palace_and_a_sunflower_are_told_apart(name, request, photographs):
    model = request.getfixturevalue(name)
    images = model.encode_pixels(
        [preprocess(Image.open(BytesIO(data)).convert("RGB"), model.preprocessing) for data in photographs]
    )
    assert images.dtype == np.float32
    assert np.linalg.norm(images, axis=1) == pytest.approx(1)
    queries = model.encode_texts(["a palace", "a sunflower"])
    assert (queries @ images.T).argmax(axis=1).tolist() == [0, 1]
    assert (queries @ images.T).argmax(axis=0).tolist() == [0, 1]


def test_openvino_agrees_with_torch(exact, served, pixels):
    assert served.runtime == "openvino"
    assert cosines(exact.encode_pixels(pixels), served.encode_pixels(pixels)).min() >= 0.999
    assert cosines(exact.encode_texts(TEXTS), served.encode_texts(TEXTS)).min() >= 0.999


def test_both_networks_are_torchs(exact, settings, pixels):
    in_float32 = models.load("embedded", settings, OpenVinoRuntime(threads=2, precision="f32"))
    assert cosines(exact.encode_pixels(pixels), in_float32.encode_pixels(pixels)).min() >= 0.9999
    assert cosines(exact.encode_texts(TEXTS), in_float32.encode_texts(TEXTS)).min() >= 0.9999


def test_one_fingerprint_on_every_runtime(exact, served):
    assert exact.fingerprint == served.fingerprint
    assert len(exact.fingerprint) == 64


@pytest.mark.parametrize("name", ["exact", "served"])
def test_a_batch_gives_what_single_items_give(name, request, pixels):
    model = request.getfixturevalue(name)
    together = model.encode_pixels(pixels[:9])
    assert together.shape == (9, 384)
    alone = np.concatenate([model.encode_pixels(pixels[index : index + 1]) for index in range(9)])
    assert cosines(together, alone).min() >= 0.9999
    together = model.encode_texts(TEXTS)
    alone = np.concatenate([model.encode_texts([text]) for text in TEXTS])
    assert cosines(together, alone).min() >= 0.9999
    assert model.encode_texts([]).shape == model.encode_pixels([]).shape == (0, 384)


def test_texts_are_read_to_the_end_of_the_context(exact):
    # Each pair of words is two tokens; 254 fit between the first and the last one.
    full, longer, shorter = exact.encode_texts(["cat dog " * 127, "cat dog " * 127 + "fish", "cat dog " * 126 + "fish"])
    assert full @ longer == pytest.approx(1)
    assert full @ shorter < 0.9999


def test_preprocessing_is_timms_evaluation_on_a_white_square(photographs):
    import timm
    from timm.data import create_transform, resolve_data_config

    config = resolve_data_config({}, model=timm.create_model(embedded.CLASSIFIER, pretrained=False))
    transform = create_transform(**config, is_training=False)
    for data in photographs:
        picture = Image.open(BytesIO(data)).convert("RGB")
        square = Image.new("RGB", (640, 640), "white")
        square.paste(picture, ((640 - picture.width) // 2, (640 - picture.height) // 2))
        expected = transform(square).permute(1, 2, 0).numpy()
        ours = (preprocess(picture, embedded.PREPROCESSING) / 255 - 0.5) / 0.5
        assert np.abs(expected - ours).max() <= 2.5 / 255


def test_vectors_are_those_of_pictures_that_really_lie_on_a_square(exact, photographs):
    pictures = [Image.open(BytesIO(data)).convert("RGB") for data in photographs]
    pictures += [picture.crop(box) for picture in pictures for box in ((0, 100, 640, 180), (300, 0, 330, 427))]
    pictures += [picture.rotate(90, expand=True) for picture in pictures]
    unpadded = replace(embedded.PREPROCESSING, pad_color=None)

    def on_square(picture: Image.Image) -> Image.Image:
        side = max(picture.size)
        square = Image.new("RGB", (side, side), embedded.PREPROCESSING.pad_color)
        square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        return square

    ours = exact.encode_pixels(np.stack([preprocess(picture, embedded.PREPROCESSING) for picture in pictures]))
    theirs = exact.encode_pixels(np.stack([preprocess(on_square(picture), unpadded) for picture in pictures]))
    assert cosines(ours, theirs).min() >= 0.9999


def test_class_texts_are_imagenet_infos():
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    plain, detailed = info.label_descriptions(), info.label_descriptions(detailed=True)
    expected = zip(plain, detailed, strict=True)
    assert list(conse.class_texts()) == [(names.split(",")[0], names, both) for names, both in expected]


def test_what_a_class_is_a_kind_of_is_known():
    known = imagenet.synsets()
    assert len(imagenet.classes()) == 1000
    assert all(parent in known for one in known.values() for parent in one.parents)

    def above(id):
        return {id}.union(*(above(parent) for parent in known[id].parents))

    [tabby] = [one for one in imagenet.classes() if one.names[0] == "tabby"]
    assert {"cat", "feline", "carnivore", "animal"} <= {known[id].names[0] for id in above(tabby.id)}


@pytest.fixture(scope="module")
def held(settings, exact):
    """What the networks hold, from the cache that the model has filled."""
    [path] = settings.cache_dir.glob("names-*.npy")
    return conse.names_of(np.load(path))


@pytest.fixture(scope="module")
def seen(exact, settings, pixels):
    """What the classifier itself says of two pictures: what it sees, and the classes' probabilities."""
    classifier = embedded.describe(settings.cache_dir).image.build().classifier
    with torch.inference_mode():
        features = classifier.forward_features((torch.from_numpy(pixels[:2]).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5)
        pooled = classifier.forward_head(features, pre_logits=True)
        return pooled.numpy(), torch.softmax(classifier.classifier(pooled).double() / 1.3, dim=-1).numpy()


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_a_classs_vector_is_its_names_and_its_kinds(exact, held):
    """A class's names: its first name, all its names, and the names with the definition, normalised."""
    names = [one.names[0] for one in imagenet.classes()]
    for index in (0, names.index("tabby"), 999):
        total = exact.before.encode_texts(conse.class_texts()[index]).sum(axis=0)
        assert held.classes[index] @ total / np.linalg.norm(total) == pytest.approx(1, abs=1e-5)
    tabby = conse.concepts(held).classes[names.index("tabby")]
    tabby = unit(tabby + conse.concepts(held).mean)
    above = ["domestic cat", "cat", "feline", "carnivore", "placental", "mammal", "domestic animal", "animal"]
    known = {kind.names[0]: vector for kind, vector in zip(conse.kinds(), held.kinds, strict=True)}
    wanted = held.classes[names.index("tabby")] + 0.5 * unit(sum(known[name] for name in above if name in known))
    assert {"domestic cat", "feline", "mammal"} <= set(known)
    assert not {"entity", "artifact", "object"} & set(known)
    assert tabby @ unit(wanted) > 0.999


def test_the_image_vectors_are_the_recipes(exact, held, seen, pixels, settings):
    """Recomputed from what the classifier says itself."""
    pooled, probabilities = seen
    both = exact.encode_pixels(pixels[:2], visual=True)
    assert both.shape == (2, 384 + 256) == (2, exact.dimensions + exact.visual_dimensions)
    image, visual = both[:, :384], both[:, 384:]
    np.testing.assert_array_equal(image, exact.encode_pixels(pixels[:2]))
    assert cosines(image, unit(probabilities @ conse.concepts(held).classes)).min() > 0.99999
    # Alike as the classifier's own features are, in the directions in which classes differ.
    weight = embedded.describe(settings.cache_dir).image.build().classifier.classifier.weight.detach().numpy()
    directions = np.linalg.svd(weight - weight.mean(axis=0), full_matrices=False)[2][:256]
    one, other = unit(pooled @ directions.T)
    assert visual[0] @ visual[1] == pytest.approx(one @ other, abs=1e-4)
    # As the release before had it.
    assert cosines(exact.before.encode_pixels(pixels[:2]), unit(probabilities @ held.classes)).min() > 0.99999


def test_a_text_is_drawn_to_the_kind_that_it_names(exact, held):
    """To the middle of all classes that are of the kind."""
    [bird] = exact.encode_texts(["a bird"])
    concepts = conse.concepts(held)
    [place] = [place for place, kind in enumerate(conse.kinds()) if kind.names[0] == "bird"]
    robins = [place for place, one in enumerate(imagenet.classes()) if "robin" in one.names]
    lathes = [place for place, one in enumerate(imagenet.classes()) if "assault rifle" in one.names]
    value = concepts.values[1000 + place]
    own = unit(exact.before.encode_texts(["a bird"])[0] - concepts.mean)
    assert bird @ value > own @ value + 0.05
    assert (concepts.values[robins] @ value).min() > (concepts.values[lathes] @ value).max() + 0.2


def test_the_recipe_of_the_release_before_is_served_beside(served, exact, pixels):
    """From the same networks: collections that it made are searched by it until their pictures are encoded anew."""
    assert served.before.id == "embedded-conse-3"
    assert served.before.fingerprint == "ed51462255dd" + served.before.fingerprint[12:] != served.fingerprint
    assert served.before.visual_dimensions == 0
    assert cosines(served.before.encode_texts(TEXTS), exact.before.encode_texts(TEXTS)).min() >= 0.999
    assert cosines(served.before.encode_pixels(pixels), exact.before.encode_pixels(pixels)).min() >= 0.999
    assert cosines(served.before.encode_pixels(pixels), served.encode_pixels(pixels)).max() < 0.99


def test_its_results_are_put_in_order_unless_that_is_switched_off(served, settings):
    assert served.reranking is not None
    assert served.before.reranking is None
    off = models.describe("embedded", settings.model_copy(update={"rerank": "false"}))
    assert off.reranking is None
    assert off.fingerprint == served.fingerprint


def test_a_first_start_needs_neither_torch_nor_any_process_that_reports_home(served, tmp_path):
    code = (
        "import sys; sys.modules |= dict.fromkeys(['torch', 'timm', 'transformers', 'open_clip']);"
        "from sightline_encoder.bootstrap import load_models; from sightline_encoder.settings import EncoderSettings;"
        "[loaded] = load_models(EncoderSettings()); model = loaded.models[0];"
        "print(model.fingerprint, sys.modules.get('openvino_telemetry'), *model.encode_texts(['a temple'])[0][:3])"
    )
    environment = {**os.environ, "ENCODER_CACHE_DIR": str(tmp_path / "cache"), "ENCODER_DEVICE": "cpu"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    fingerprint, telemetry, *values = result.stdout.splitlines()[-1].split()
    assert (fingerprint, telemetry) == (served.fingerprint, "None"), result.stderr
    assert np.array(values, float) == pytest.approx(served.encode_texts(["a temple"])[0][:3], abs=0.005)


def test_without_torch_another_model_is_refused_with_what_to_do(monkeypatch, settings):
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"'ViT-B-32/openai' needs PyTorch.*make demo MODEL="):
        models.describe("ViT-B-32/openai", settings)


def test_the_command_prepares_models_and_exits(served, settings):
    result = subprocess.run(
        [sys.executable, "-m", "sightline_encoder", "--prepare"],
        env={**os.environ, "ENCODER_CACHE_DIR": str(settings.cache_dir), "ENCODER_DEVICE": "cpu"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert served.fingerprint in result.stderr


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="ENCODER_CACHE_DIR"):
        models.load("embedded", EncoderSettings(cache_dir=tmp_path / "file" / "cache", device="cpu"))


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("a cat", "cat"),
        ("A photo of a cat.", "cat"),
        ("my pictures of the Eiffel tower", "Eiffel tower"),
        ("an image showing my dog", "my dog"),
        ("a picture frame", "picture frame"),
        ("a drawing of a cat", "drawing of a cat"),
        ("photo of", "photo of"),
        ("the", "the"),
        ("", ""),
    ],
)
def test_a_query_is_read_as_a_classs_name_is_written(text, read_as):
    assert embedded.as_class_name(text) == read_as


def test_the_service_gives_the_same_vectors_for_files_and_for_pixels(serving, served, photographs):
    # Twelve megapixels, so that the file is decoded at a smaller scale.
    large = BytesIO()
    Image.open(BytesIO(photographs[0])).resize((4000, 2668), Image.Resampling.LANCZOS).save(large, "JPEG", quality=92)
    pages = [*photographs, large.getvalue()]
    full = [open_picture(page, max_bytes=10**8, max_pixels=10**8).image for page in pages]
    with serving(models=[served]) as running, EncoderClient(running.address, timeout_seconds=30) as client:
        [model] = client.models()
        steps = from_proto(model.preprocessing)
        by_file = client.encode_images(pages).vectors()
        by_pixels = client.encode_images([RawPixels(np.asarray(picture)) for picture in full], priority=BULK).vectors()
        by_input = client.encode_images(
            [RawPixels(preprocess(picture, steps), preprocessed=True) for picture in full]
        ).vectors()
    # What is decoded smaller differs a little, and the more so since what all vectors have in common is taken off.
    assert cosines(by_file, by_pixels).min() >= 0.998
    assert cosines(by_file, by_input).min() >= 0.998


@pytest.mark.parametrize("part", ["CLASSIFIER_WEIGHTS", "TEXT_WEIGHTS", "TEXT_CONFIG", "TOKENIZER"])
def test_files_that_are_not_what_they_should_be_are_refused(part, monkeypatch, tmp_path):
    path, _ = getattr(embedded, part)
    monkeypatch.setattr(embedded, part, (path, "0" * 64))

    def load_all():
        source = embedded.describe(tmp_path)
        source.text.network()
        source.image.network()

    with pytest.raises(ModelError, match="SHA-256"):
        load_all()


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "TEXT_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"no_such_package is not installed.*requirements/models.txt"):
        models.describe("embedded", EncoderSettings(cache_dir=tmp_path))


def test_hashes_are_cached_until_a_file_changes(tmp_path):
    file, memory = tmp_path / "weights", tmp_path / "memory.json"
    file.write_bytes(b"one")
    first = files.cached_sha256(file, memory)
    assert first == files.cached_sha256(file, memory) == files.sha256(file)
    file.write_bytes(b"other")
    assert files.cached_sha256(file, memory) == files.sha256(file) != first
    memory.write_text("damaged")
    assert files.cached_sha256(file, memory) == files.sha256(file)
    with pytest.raises(ModelError, match="No such file"):
        files.cached_sha256(tmp_path / "nothing", memory)


def test_another_recipe_has_another_fingerprint(monkeypatch, tmp_path):
    before = embedded.describe(tmp_path).fingerprint
    monkeypatch.setitem(conse.PARAMETERS, "temperature", 1.0)
    other = embedded.describe(tmp_path).fingerprint
    monkeypatch.setattr(embedded, "PREPROCESSING", replace(embedded.PREPROCESSING, pad_color=None))
    assert len({before, other, embedded.describe(tmp_path).fingerprint}) == 3
