"""Sealing: texts that are encrypted on the disk, with a key that is made of the data folder's secret."""

import base64
import hashlib

from cryptography.fernet import Fernet


class Seal:
    """Encrypts and decrypts. The secret lies in the same folder: who reads both reads all, as the docs say."""

    def __init__(self, secret: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"seal " + secret).digest()))

    def close(self, text: str) -> str:
        """The text, encrypted, as base64."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was closed."""
        return self._fernet.decrypt(sealed.encode()).decode()
