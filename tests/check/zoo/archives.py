"""Images that are only read: archives, each with one fault. tests/check/static has more of each."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from tests.check.images import DOCKER_MANIFEST, OCI_MANIFEST, Entry, Made, elf, layer, script
from tests.check.static.looking import GOOD, holding
from tests.check.zoo.artifacts import zeros
from tests.check.zoo.zoo import Broken, Sound

if TYPE_CHECKING:
    from samebox.check.checks import Claim

SITE = "usr/local/lib/python3.10/site-packages"
LARGE = Entry("srv/data.bin", size=60_000_000)
VAST = zeros("srv/one.bin", 5_500_000_000) + zeros("srv/two.bin", 5_500_000_000) + gzip.compress(bytes(1024))
LABEL = "com.amazonaws.sagemaker.capabilities.multi-models"


def package(name: str, version: str, *requires: str) -> Entry:
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires), "", ""]
    return Entry(f"{SITE}/{name}-{version}.dist-info/METADATA", "\n".join(lines).encode())


def broken(name: str, fails: str, subject: Made | bytes, *claims: Claim, **arguments: Any) -> Broken:
    return Broken(name, fails, subject, frozenset(claims), arguments)


def with_link() -> Made:
    return Made((layer(*GOOD[:-1], Entry("usr/local/bin/serve", link="/srv/serve.py")),))


def marked() -> Made:
    return Made((layer(*GOOD[:-1], script("usr/local/bin/serve", "\ufeff#!/bin/sh")),))


def misquoted() -> Made:
    return Made((layer(*GOOD[:-1]),), {"Entrypoint": ["/bin/sh", "-c", "['python3', '/srv/app.py']"]})


SOUND = (
    Sound(
        "an archive",
        holding(Labels={LABEL: "true"}, Cmd=["/bin/sh"]),
        frozenset({"train", "serve", "multi-model", "processing", "serverless"}),
        {"size_budget": 10**9},
        "FROM debian:12.5-slim\nRUN echo ok\n",
    ),
)

BROKEN = (
    broken("has OCI's manifest", "image-manifest-type", Made((layer(*GOOD),)).oci_archive(OCI_MANIFEST)),
    broken("is attested", "image-attestations", Made((layer(*GOOD),)).oci_archive(DOCKER_MANIFEST, attested=True)),
    broken("is for ARM", "image-architecture", Made((layer(*GOOD),), architecture="arm64"), "train"),
    broken("has no train", "train-program", Made((layer(*GOOD[:-2], GOOD[-1]),)), "train"),
    broken("has no serve", "serve-program", Made((layer(*GOOD[:-1]),)), "serve"),
    broken("has no program", "processing-program", holding(Entrypoint=["python9"]), "processing"),
    broken("starts in a shell", "image-entrypoint-exec-form", holding(Entrypoint=["/bin/sh", "-c", "python app.py"])),
    broken("starts in tini", "image-entrypoint-tini", holding(elf("usr/bin/tini"), Entrypoint=["/usr/bin/tini", "--"])),
    broken("comes from Windows", "image-shebang-crlf", holding(script("opt/run.sh", "#!/bin/bash\r"))),
    broken("keeps quiet of many models", "multi-model-label", holding(), "multi-model"),
    broken("speaks of a label badly", "image-capability-labels", holding(Labels={LABEL: "yes"})),
    broken("listens elsewhere", "image-exposed-port", holding(ExposedPorts={"5000/tcp": {}}), "serve"),
    broken("is an unknown user", "image-user-exists", holding(User="ghost"), "serverless"),
    broken("is a user", "image-user", holding(User="1000"), "train"),
    broken(
        "is its owner's", "serverless-file-permissions", holding(Entry("opt/app/run.py", b"x", 0o600)), "serverless"
    ),
    broken("is everybody's", "image-world-writable", holding(Entry("opt/app/run.py", b"x", 0o666))),
    broken("brings a model", "image-opt-ml-hidden", holding(Entry("opt/ml/model/model.bin", b"x" * 100)), "serve"),
    broken(
        "brings a key",
        "image-secrets",
        holding(Entry("root/.aws/credentials", b"[default]\naws_secret_access_key = " + b"aB3/" * 10 + b"\n")),
    ),
    broken("says its password", "image-secrets-in-config", holding(Env=["PATH=/usr/bin", "DB_PASSWORD=s3cretW0rd9"])),
    broken("clashes", "image-python-clashes", holding(package("torch", "2.1.0"), package("numpy", "2.0.1"))),
    broken("lacks a package", "image-python-requirements", holding(package("a", "1.0", "missing>=2"))),
    broken("brings the driver", "image-cuda-driver", holding(Entry("usr/bin/nvidia-smi", b"x"))),
    broken(
        "wants no driver", "image-cuda-requirement", holding(Entry("usr/local/cuda/lib64/libcudart.so.11.8.89", b"x"))
    ),
    broken("trusts nobody", "image-ca-certificates", Made((layer(*GOOD[:3], *GOOD[4:]),))),
    broken("was built behind a proxy", "image-proxy-variables", holding(Env=["HTTP_PROXY=http://proxy:3128"])),
    broken("has a link to nothing", "serve-program", with_link(), "serve"),
    broken("begins with a byte order mark", "serve-program", marked(), "serve"),
    broken("writes JSON with single quotes", "image-entrypoint-exec-form", misquoted(), "serve"),
    broken("is larger than it should be", "image-size-budget", holding(), size_budget=10),
    broken("is far too large", "serverless-image-size", Made((layer(*GOOD), VAST)), "serverless"),
    broken("deletes too late", "image-layer-waste", Made((layer(*GOOD, LARGE), layer(Entry("srv/.wh.data.bin"))))),
    broken("keeps pip's cache", "image-caches", holding(Entry("root/.cache/pip/x", size=2_000_000))),
    Broken(
        "has a Dockerfile with a fault", "image-dockerfile-lint", holding(), dockerfile="FROM debian\nRUN echo ok\n"
    ),
)
