"""The whole way with a model of open_clip, of random weights: with a visual vector beside, and without."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from drawn import draw, fill
from PIL import Image
from waiting import wait_for

PICTURES = 60
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2}
IMAGE = {"image_size": 64, "layers": 3, "width": 64, "head_width": 16, "patch_size": 16}
ARCHITECTURE = {"embed_dim": 32, "quick_gelu": True, "text_cfg": TEXT, "vision_cfg": IMAGE}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of a model and of a timm model, of random weights, as `local-dir:` takes them."""
    import open_clip
    import timm
    import torch
    from timm.models import save_for_hf

    base = tmp_path_factory.mktemp("models")
    torch.manual_seed(3)
    (base / "architectures").mkdir()
    (base / "architectures/tiny-whole-way.json").write_text(json.dumps(ARCHITECTURE))
    open_clip.add_model_config(base / "architectures")
    (base / "model").mkdir()
    (base / "model/open_clip_config.json").write_text(json.dumps({"model_cfg": ARCHITECTURE, "preprocess_cfg": {}}))
    torch.save(open_clip.create_model("tiny-whole-way").state_dict(), base / "model/open_clip_pytorch_model.bin")
    save_for_hf(timm.create_model("test_resnet"), base / "visual", safe_serialization=True)
    return base


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_seeing", [False, True])
def test_a_model_of_open_clip_indexes_finds_and_compares(start, folders, tmp_path, is_seeing):
    visual = {"ENCODER_VISUAL_MODEL": f"local-dir:{folders / 'visual'}", "ENCODER_RERANK": "true"} if is_seeing else {}
    fill(tmp_path / "bucket", PICTURES)
    system = start(tmp_path / "bucket", ENCODER_MODELS=f"local-dir:{folders / 'model'}", **visual)
    wait_for(lambda: system.get("/ingest")["indexed"] == PICTURES, "all are indexed", 240)
    served = {model["id"]: model["dimensions"] for model in system.get("/models")["models"]}
    # Collections that were made before the visual model was chosen are searched by the model without it.
    assert len(served) == 1 + is_seeing
    assert set(served.values()) == {32}

    found = system.get("/search", q="a red curtain", limit=PICTURES)
    similarities = np.array([hit["similarity"] for hit in found["results"]])
    assert len(similarities) == PICTURES
    is_in_order = bool((np.diff(similarities) <= 1e-6).all())
    assert is_in_order != is_seeing, "in the order of similarity, unless it is by looks"
    first = found["results"][0]["id"]
    pages = [system.get("/search", q="a red curtain", limit=20, offset=start)["results"] for start in (0, 20, 40)]
    assert [hit["id"] for page in pages for hit in page] == [hit["id"] for hit in found["results"]]

    similar = system.get(f"/images/{first}/similar", limit=5)["results"]
    assert first not in [hit["id"] for hit in similar]
    assert len(similar) == 5
    # A picture that is there already finds itself, whichever vector compares them.
    data = Image.open(io.BytesIO(draw(7)))
    stream = io.BytesIO()
    data.save(stream, "PNG")
    answer = system.http.post(
        "/api/v1/search", files={"file": ("a.png", stream.getvalue())}, headers={"Origin": system.stack.url}
    )
    assert answer.status_code == 200, answer.text
    best = answer.json()["results"][0]
    assert best["key"] == "picture-0007.jpg"
    assert best["similarity"] > 0.99
