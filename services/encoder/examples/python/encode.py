"""Compares a picture with texts: python encode.py HOST:PORT PICTURE TEXT..."""

from __future__ import annotations

import sys
from pathlib import Path

from sightline.encoder.client import EncoderClient


def main(address: str, picture: str, *texts: str) -> None:
    """Print the model, and the cosine similarity of the picture and each text."""
    with EncoderClient(address, timeout_seconds=10) as encoder:
        print("model", encoder.models()[0].id)
        [image] = encoder.encode_images([Path(picture).read_bytes()]).vectors()
        for text, vector in zip(texts, encoder.encode_texts(texts).vectors(), strict=True):
            print(f"{float(image @ vector):.3f} {text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
