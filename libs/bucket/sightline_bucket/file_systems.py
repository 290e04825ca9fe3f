"""The file system that holds a folder: whether it reports changes, and whether a file keeps its inode."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse",
     "fuse.glusterfs", "ceph", "fuse.ceph", "lustre", "afs", "davfs", "fuse.davfs2", "fuse.grpcfuse", "fakeowner"}
)  # fmt: skip
"""File systems that do not report what other machines change."""
_OTHER_INODES = frozenset({"vfat", "msdos", "exfat", "overlay", "aufs", "prl_fs", "vboxsf", "drvfs"})
"""File systems that number files anew when they are mounted, or when they forget them; beside those of networks."""


def file_system(path: Path) -> str:
    """Return the type of the file system that holds a path; empty if it is unknown."""
    resolved = path.resolve()
    mounts = [mount for mount in psutil.disk_partitions(all=True) if resolved.is_relative_to(mount.mountpoint)]
    # Of two mounts at one place, the later one is seen.
    return max(reversed(mounts), key=lambda mount: len(mount.mountpoint)).fstype if mounts else ""


def reports_changes(path: Path) -> bool:
    """Return whether the file system of a path reports all changes."""
    return file_system(path) not in NETWORK_FILE_SYSTEMS


def keeps_inodes(kind: str) -> bool:
    """Return whether files of a type of file system keep their inodes, from one mount to the next too."""
    return bool(kind) and kind not in NETWORK_FILE_SYSTEMS | _OTHER_INODES and not kind.startswith("fuse")


def devices_with_inodes(folder: Path) -> frozenset[int]:
    """Return the devices of a folder and of what is mounted below it whose files keep their inodes."""
    resolved = folder.resolve()
    kinds: dict[int, str] = {}
    with suppress(OSError):
        kinds[os.stat(resolved).st_dev] = file_system(resolved)
    for mount in psutil.disk_partitions(all=True):
        if mount.mountpoint != str(resolved) and Path(mount.mountpoint).is_relative_to(resolved):
            with suppress(OSError):
                kinds[os.stat(mount.mountpoint).st_dev] = mount.fstype
    return frozenset(device for device, kind in kinds.items() if keeps_inodes(kind))
