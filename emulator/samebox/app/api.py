"""The AWS API: the gateway, its operations, and S3's endpoint."""

from pathlib import Path

from samebox.app.endings import Endings
from samebox.s3.store import S3Store
from samebox.services import absent, session_tokens
from samebox.services.context import Services
from samebox.services.operations import operations
from samebox.services.s3.endpoint import S3Endpoint
from samebox.traffic.forms import Forms
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models
from samebox.wire.sessions import Verdict


def make_gateway(services: Services, models: Models, s3: S3Store, scratch: Path, endings: Endings) -> Gateway:
    """The gateway over `services`; `scratch` is where browsers' forms are kept while they come in."""
    own, clock = services.settings, services.clock
    endpoint = S3Endpoint(
        s3, Models(("s3",)), account=own.account, region=own.region, clock=clock, redirects=own.s3_redirects
    )
    endings.add_connections(endpoint.close)

    def session(access_key: str, token: str) -> Verdict:
        return session_tokens.verify(services.secret, access_key, token, clock())

    return Gateway(
        models,
        operations(services),
        account=own.account,
        region=own.region,
        token=own.signing_secret,
        sessions=session,
        s3=endpoint,
        s3_forms=Forms(endpoint, scratch),
        clock=clock,
        why_absent=absent.sentence_of,
    )
