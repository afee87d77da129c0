"""Keys of the client's own (SSE-C): S3 keeps the digest of one, and asks for the key at each read.

The texts are those recorded from AWS in February 2026. Nothing is encrypted here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALGORITHM = "AES256"
_KEY_BYTES = 32
_MEMBER = "SSECustomer"
_ABOUT = "Requests specifying Server Side Encryption with Customer provided keys must provide "


def check(params: Mapping[str, Any], prefix: str = "") -> None:
    """What a request says of its key is sound; with the prefix `CopySource`, of the source's.

    Raises InvalidEncryptionAlgorithmError, InvalidArgument.
    """
    algorithm, key, digest = (params.get(f"{prefix}{_MEMBER}{name}") for name in ("Algorithm", "Key", "KeyMD5"))
    if algorithm is None and key is None and digest is None:
        return
    if not prefix and (other := params.get("ServerSideEncryption")):
        text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        raise _invalid(text, other)
    if algorithm is None:
        raise _invalid(f"{_ABOUT}a valid encryption algorithm.")
    if algorithm != _ALGORITHM:
        text = f"The Encryption request you specified is not valid. Supported value: {_ALGORITHM}."
        raise AwsError("InvalidEncryptionAlgorithmError", text, 400, _argument(algorithm))
    if key is None:
        raise _invalid(f"{_ABOUT}an appropriate secret key.")
    try:
        data = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != _KEY_BYTES or not digest:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode() != digest:
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")


def check_object(kept: Mapping[str, str], params: Mapping[str, Any], prefix: str = "") -> None:
    """The key that an object was put with comes again. `kept` are the object's headers.

    Raises InvalidRequest, AccessDenied, and what `check` raises.
    """
    digest, given = kept.get("SSECustomerKeyMD5"), params.get(f"{prefix}SSECustomerKeyMD5")
    if digest and given is None and params.get(f"{prefix}SSECustomerAlgorithm") is None:
        text = (
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
        raise AwsError("InvalidRequest", text)
    if given is not None or params.get(f"{prefix}SSECustomerAlgorithm") is not None:
        if given is not None:
            check(params, prefix)
        if given != digest:
            raise AwsError("AccessDenied", f"{_ABOUT}the correct secret key.", 403)


def check_part(kept: Mapping[str, str], params: Mapping[str, Any]) -> None:
    """A part comes with the key that its upload was begun with. Raises InvalidRequest, and what `check` raises."""
    check(params)
    digest, given = kept.get("SSECustomerKeyMD5"), params.get("SSECustomerKeyMD5")
    if (digest is None) != (given is None):
        text = (
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
            "encryption parameters."
        )
        raise AwsError("InvalidRequest", text)
    if digest != given:
        text = "The provided encryption parameters did not match the ones used originally."
        raise AwsError("InvalidRequest", text)


def _invalid(text: str, value: str | None = None) -> AwsError:
    return AwsError("InvalidArgument", text, 400, _argument(value))


def _argument(value: str | None) -> dict[str, str]:
    named = {"ArgumentName": "x-amz-server-side-encryption"}
    return named if value is None else {**named, "ArgumentValue": value}
