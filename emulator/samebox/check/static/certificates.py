"""CA certificates: whether programs in the image can verify TLS connections to AWS."""

from __future__ import annotations

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_naming

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, Red Hat
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",
)

CERTIFICATES = Rule(
    "image-ca-certificates",
    "The image has CA certificates",
    "contract §1.4.5",
    "warn",
    "static",
    "Install ca-certificates: without them every call to AWS or to a package index fails (certificate verify failed).",
)


def certificates(context: Context) -> Finding:
    files = context.subject.files
    for path in BUNDLES:
        found = files.resolve(path)
        if found is not None and files.target(found).size:
            return CERTIFICATES.passed(path)
    own = next((path for path in files.paths if path.endswith("/certifi/cacert.pem")), None)
    line = line_naming(context, "apt-get install", "apk add", "yum install")
    if own:
        return CERTIFICATES.broken(f"only Python's own: {own}", line=line)
    return CERTIFICATES.broken("none", line=line)


CHECKS = (Check(CERTIFICATES, certificates, FILES),)
