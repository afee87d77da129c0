"""Tiny images, made of tarfile: what `docker save` and buildx write, whole and broken."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}
PATH = "PATH=/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class LayerFile:
    """A file of a layer; a folder where the path ends in a slash, a symbolic link where `link` is given."""

    path: str
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    link: str = ""
    hard: bool = False
    size: int | None = None  # of a file of zeros


def script(path: str, first: str = "#!/bin/sh", mode: int = 0o755) -> LayerFile:
    return LayerFile(path, f"{first}\necho\n".encode(), mode)


def elf(path: str, machine: int = 62) -> LayerFile:
    """The head of a 64-bit ELF program: 62 is x86-64, 183 is aarch64."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + machine.to_bytes(2, "little")
    return LayerFile(path, head + bytes(100), 0o755)


SHELL = (
    LayerFile("bin/"),
    elf("bin/sh"),
    elf("usr/bin/env"),
    LayerFile("etc/ssl/certs/ca-certificates.crt", b"x" * 300),
)


def layer(*entries: LayerFile) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for entry in entries:
            member = tarfile.TarInfo(entry.path.rstrip("/"))
            member.mode, member.uid = entry.mode, entry.uid
            content = bytes(entry.size) if entry.size is not None else entry.content
            if entry.path.endswith("/"):
                member.type, member.mode = tarfile.DIRTYPE, entry.mode | 0o111
            elif entry.link:
                member.type, member.linkname = (tarfile.LNKTYPE if entry.hard else tarfile.SYMTYPE), entry.link
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()


@dataclass(frozen=True)
class ImageSource:
    """An image to write in whatever form. `config` is merged into the usual one's "config"."""

    layers: Sequence[bytes] = field(default_factory=lambda: (layer(*SHELL),))
    config: Mapping[str, Any] = field(default_factory=dict)
    architecture: str = "amd64"
    history: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture,
            "os": "linux",
            "config": {"Env": [PATH], "Cmd": ["/bin/sh"], **self.config},
            "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in self.layers]},
            "history": [{"created_by": words} for words in self.history],
        }

    def docker_archive(self) -> bytes:
        """As a daemon with its own store saves it."""
        config = json.dumps(self.document()).encode()
        names = [f"{number}/layer.tar" for number in range(len(self.layers))]
        files = dict(zip(names, self.layers, strict=True))
        files["config.json"] = config
        files["manifest.json"] = json.dumps([{"Config": "config.json", "RepoTags": [], "Layers": names}]).encode()
        return tar_of(files)

    def oci_archive(
        self, manifest_type: str = OCI_MANIFEST, attested: bool = False, compression: str = "gzip"
    ) -> bytes:
        """As buildx writes it with type=oci."""
        return tar_of(self.oci_files(manifest_type, attested, compression))

    def oci_files(
        self, manifest_type: str = OCI_MANIFEST, attested: bool = False, compression: str = "gzip"
    ) -> dict[str, bytes]:
        files: dict[str, bytes] = {}

        def blob(data: bytes, media_type: str) -> dict[str, Any]:
            files[f"blobs/{digest(data).replace(':', '/')}"] = data
            return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

        oci = manifest_type == OCI_MANIFEST
        ending = f"+{compression}" if compression else ""
        layer_type = (
            f"application/vnd.oci.image.layer.v1.tar{ending}"
            if oci
            else "application/vnd.docker.image.rootfs.diff.tar.gzip"
        )
        manifest = {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": blob(json.dumps(self.document()).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [blob(_COMPRESSIONS[compression](one), layer_type) for one in self.layers],
        }
        top = blob(json.dumps(manifest).encode(), manifest_type)
        top["platform"] = {"os": "linux", "architecture": self.architecture}
        entries = [top]
        if attested:
            statement = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob(b"{}", "x"), "layers": []}
            entries.append(
                {
                    **blob(json.dumps(statement).encode(), OCI_MANIFEST),
                    "platform": {"os": "unknown", "architecture": "unknown"},
                    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
                }
            )
            inner = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
            entries = [blob(json.dumps(inner).encode(), OCI_INDEX)]
        files["index.json"] = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
        files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
        return files


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar_of(files: Mapping[str, bytes]) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()
