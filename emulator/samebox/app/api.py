"""The AWS API: the gateway and its operations, S3's among them."""

from pathlib import Path

from samebox import asgi
from samebox.app.objects import ObjectStorage
from samebox.asgi import Scope
from samebox.faults.api import FaultyS3, faulty
from samebox.faults.faults import FaultTable
from samebox.services import absent, session_tokens
from samebox.services.context import Services
from samebox.services.localstack import LocalStackEndpoint
from samebox.services.operations import operations
from samebox.services.s3.forms import Forms
from samebox.wire import s3_address
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models
from samebox.wire.sessions import Verdict


def make_gateway(
    services: Services,
    models: Models,
    s3: ObjectStorage,
    localstack: LocalStackEndpoint | None,
    scratch: Path,
    faults: FaultTable,
) -> Gateway:
    """The gateway over `services`, with S3's endpoint; `scratch` is where forms are kept while they come in."""
    own, clock = services.settings, services.clock
    endpoint = FaultyS3(s3.endpoint, faults, _bucket_of)

    def session(access_key: str, token: str) -> Verdict:
        return session_tokens.verify(services.secret, access_key, token, clock())

    return Gateway(
        models,
        operations(services, faulty(faults)),
        account=own.account,
        region=own.region,
        token=own.signing_secret,
        sessions=session,
        s3=endpoint,
        s3_forms=Forms(endpoint, s3.models, scratch),
        s3_consents=s3.consents,
        s3_anonymous=own.s3_public_access and not own.s3_url,
        elsewhere=localstack,
        clock=clock,
        why_absent=absent.sentence_of,
    )


def _bucket_of(scope: Scope) -> str:
    host = (asgi.header(scope["headers"], b"host") or b"").decode("latin-1").partition(":")[0].lower()
    return s3_address.bucket_in(host) or str(scope["path"]).split("/")[1]
