"""Where a test puts pictures: the folder that the containers read, or the S3 store among them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from images import drawn, photograph

SECRET = "only-for-these-tests"


class Folder:
    """A folder that the containers' user may read."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sightline-compose-"))
        self.path.chmod(0o755)

    def put(self, key: str, data: bytes) -> None:
        """Write a file."""
        (self.path / key).parent.mkdir(exist_ok=True)
        (self.path / key).write_bytes(data)

    def delete(self, key: str) -> None:
        """Delete a file."""
        (self.path / key).unlink()

    def delete_folder(self, key: str) -> None:
        """Delete a folder with all that is in it."""
        shutil.rmtree(self.path / key)

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path)


class Objects:
    """The S3 bucket of deploy/s3.yml, as a client on this machine reaches it."""

    def __init__(self, port: int) -> None:
        from botocore.config import Config
        from botocore.session import Session

        self._client = Session().create_client(
            "s3",
            "us-east-1",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="sightline",
            aws_secret_access_key=SECRET,
            config=Config(proxies={}, s3={"addressing_style": "path"}),
        )

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        self._client.put_object(Bucket="pictures", Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._client.delete_object(Bucket="pictures", Key=key)

    def delete_folder(self, key: str) -> None:
        """Delete all objects whose keys begin with a folder's name."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket="pictures", Prefix=f"{key}/"):
            for item in page.get("Contents", ()):
                self.delete(item["Key"])

    def close(self) -> None:
        """Leave the objects to the volume, which goes with the containers."""


def fill(bucket: Folder | Objects) -> None:
    """Put two photographs and ten drawn pictures in."""
    for name in ("flower.jpg", "china.jpg"):
        bucket.put(name, photograph(name))
    for seed in range(10):
        bucket.put(f"drawn-{seed}.jpg", drawn(seed))
