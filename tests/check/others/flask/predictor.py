"""Doubles numbers, for gunicorn to serve."""

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest

app = Flask(__name__)


@app.get("/ping")
def ping() -> Response:
    return Response(status=200)


@app.post("/invocations")
def invocations() -> Response:
    if request.mimetype != "application/json":
        return Response("send application/json", 415)
    rows = request.get_json()
    if not isinstance(rows, dict):
        raise BadRequest("an object is wanted")
    return jsonify(predictions=[2 * row for row in rows.get("instances", [])])
