"""The networks of `embedded` in torch: for a GPU, and what those in OpenVINO's operations are compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.nn.functional import normalize
from transformers import BertConfig, BertModel

from sightline_encoder.errors import ModelError
from sightline_encoder.models.embedded import conse
from sightline_encoder.models.embedded.conse import Concepts, Names, concepts, visual_projection
from sightline_encoder.models.normalise import Normalise


class SentenceText(torch.nn.Module):
    """Token ids and mask, (n, length) int64 each, to (n, 384): the mean of the last layer over the tokens."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return unit vectors."""
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask.unsqueeze(-1).float()
        return normalize((hidden * weights).sum(1) / weights.sum(1).clamp(min=1), dim=-1)

    def vectors(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the same for arrays, in float32 on the CPU."""
        with torch.inference_mode():
            result: NDArray[np.float32] = self(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        return result


class ConseText(torch.nn.Module):
    """Token ids and mask, (n, length) int64 each, to two unit vectors side by side; see `networks.text_network`."""

    def __init__(self, sentence: SentenceText, held: Concepts) -> None:
        super().__init__()
        self.sentence = sentence
        self.mean, self.keys, self.values = (
            torch.nn.Buffer(torch.from_numpy(array)) for array in (held.mean, held.keys, held.values)
        )

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return both vectors."""
        own = self.sentence(ids, mask)
        with torch.autocast(ids.device.type, enabled=False):
            centred = normalize(own - self.mean, dim=-1)
            attention = torch.softmax(conse.ATTENTION_SHARPNESS * centred @ self.keys.T, dim=-1)
            named = normalize(attention @ self.values, dim=-1)
            return torch.cat([normalize(centred + conse.ATTENTION_WEIGHT * named, dim=-1), own], dim=-1)


class ConseImage(torch.nn.Module):
    """Pictures, (n, height, width, 3) uint8, to three unit vectors side by side; see `networks.image_network`."""

    def __init__(self, classifier: torch.nn.Module, names: Names) -> None:
        super().__init__()
        self.normalise: Any = Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        self.classifier: Any = classifier
        head: Any = self.classifier.classifier
        projection = visual_projection(head.weight.detach().numpy())
        self.concepts, self.projection, self.names = (
            torch.nn.Buffer(torch.from_numpy(array)) for array in (concepts(names).classes, projection, names.classes)
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the three vectors."""
        features = self.classifier.forward_features(self.normalise(pixels))
        seen = self.classifier.forward_head(features, pre_logits=True)
        logits = self.classifier.classifier(seen).float()
        # The sums are of a thousand small terms: always in float32.
        with torch.autocast(pixels.device.type, enabled=False):
            probabilities = torch.softmax(logits / conse.TEMPERATURE, dim=-1)
            vectors = probabilities @ self.concepts, seen.float() @ self.projection, probabilities @ self.names
            return torch.cat([normalize(vector, dim=-1) for vector in vectors], dim=-1)


def load_text(config: Path, weights: Path) -> SentenceText:
    """Return the text encoder from files that were checked."""
    bert = BertModel(BertConfig(**json.loads(config.read_text())), add_pooling_layer=False)
    state = {name: tensor for name, tensor in load_file(weights).items() if not name.startswith("pooler.")}
    # Newer versions of the class compute the position ids, and do not load them.
    state.pop("embeddings.position_ids", None)
    bert.load_state_dict(state)
    return SentenceText(bert).eval()


def load_image(name: str, weights: Path, names: Names) -> ConseImage:
    """Return the image tower: timm's network `name` with weights of another implementation of it.

    Its parameters are the same in the same order under other names, which is how they are matched.

    Raises:
        ModelError: They are not.
    """
    classifier: torch.nn.Module = timm.create_model(name, pretrained=False)
    classifier.eval()
    state: dict[str, Any] = torch.load(weights, map_location="cpu", weights_only=True)
    counters = "num_batches_tracked"
    theirs = [tensor for key, tensor in state.items() if not key.endswith(counters)]
    ours = [key for key in classifier.state_dict() if not key.endswith(counters)]
    shapes = [classifier.state_dict()[key].shape for key in ours]
    if shapes != [tensor.shape for tensor in theirs]:
        raise ModelError(f"this version of timm builds {name} otherwise than the weights expect")
    classifier.load_state_dict(dict(zip(ours, theirs, strict=True)), strict=False)
    return ConseImage(classifier, names).eval()
