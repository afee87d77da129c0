"""Hints for known errors in a log, one sentence each."""

import re

_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|certificate verify failed")
_PIP = re.compile(r"\bpip\b|Could not fetch URL|Retrying \(Retry|InstallRequirementsError|No matching distribution")
PIP_DISTRUSTS = (
    "pip in the container does not trust the certificates of this network. Start the emulator with "
    "SAMEBOX_CA_BUNDLE=FILE, the authorities that this machine trusts: samebox down, then "
    "SAMEBOX_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt samebox up --detach"
)


class Hints:
    """Sees each line of a log; `words` is the hint, or ""."""

    def __init__(self) -> None:
        self._pip = self._distrusts = False

    def see(self, line: str) -> None:
        """One line."""
        self._pip |= bool(_PIP.search(line))
        self._distrusts |= bool(_CERTIFICATE.search(line))

    @property
    def words(self) -> str:
        return PIP_DISTRUSTS if self._pip and self._distrusts else ""
