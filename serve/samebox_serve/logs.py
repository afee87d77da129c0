"""One JSON object per line: the server's messages, and one line per request. Never a body."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from datetime import timedelta


# In a request's environment: why /ping answers as it does, where the log does not have that yet.
NEWS = "samebox.news"


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "pid": record.process,
            "message": record.getMessage(),
        }
        entry.update(getattr(record, "request", {}))
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure(level: str) -> None:
    """Send Python's logging to stderr, where docker and CloudWatch pick it up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)


class GunicornLog(Logger):
    """gunicorn's own messages and its access log, in the same form."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002
        self.error_log.propagate = True
        self.error_log.handlers[:] = []
        self.access_log.handlers[:] = []
        self.error_log.setLevel(logging.getLogger().level)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:  # noqa: ARG002
        status = str(resp.status).split(None, 1)[0]
        path = environ.get("PATH_INFO", "")
        # The platform asks /ping every few seconds; only an answer that it has not had yet is news.
        if path == "/ping" and environ.get("REQUEST_METHOD") == "GET" and NEWS not in environ:
            return
        request = {
            "method": environ.get("REQUEST_METHOD"),
            "path": path,
            "status": int(status) if status.isdigit() else status,
            "milliseconds": round(request_time.total_seconds() * 1000, 3),
            "bytes_in": int(environ.get("CONTENT_LENGTH") or 0),
            "bytes_out": getattr(resp, "sent", None),
            "content_type": environ.get("CONTENT_TYPE"),
            "accept": environ.get("HTTP_ACCEPT"),
        }
        if NEWS in environ:
            request["answer"] = environ[NEWS]
        inference_id = environ.get("HTTP_X_AMZN_SAGEMAKER_INFERENCE_ID")
        if inference_id:
            request["inference_id"] = inference_id
        logging.getLogger("samebox.access").info("request", extra={"request": request})
