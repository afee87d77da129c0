"""An image that knows no certificate authority cannot speak to AWS."""

from __future__ import annotations

from tests.check.images import ImageSource, LayerFile, elf, layer
from tests.check.static.looking import holding, look

PYTHONS_OWN = LayerFile("usr/lib/python3/dist-packages/certifi/cacert.pem", b"x")


def test_the_bundle_of_the_os_passes() -> None:
    assert look("image-ca-certificates", holding()).status == "pass"
    linked = ImageSource(
        (layer(LayerFile("etc/ssl/cert.pem", link="certs/all.pem"), LayerFile("etc/ssl/certs/all.pem", b"x")),)
    )
    assert look("image-ca-certificates", linked).status == "pass"


def test_none_and_pythons_own_alone_are_pointed_at() -> None:
    assert look("image-ca-certificates", ImageSource((layer(elf("bin/sh")),))).seen == "none"
    found = look("image-ca-certificates", ImageSource((layer(PYTHONS_OWN),)))
    assert (found.status, "only Python's own" in found.seen) == ("warn", True)
