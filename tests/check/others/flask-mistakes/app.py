"""As in Flask's quickstart: its own development server, and where that listens by itself."""

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.route("/ping")
def ping():
    return "pong"


@app.route("/invocations", methods=["POST"])
def invocations():
    return jsonify(predictions=[2 * row for row in request.json["instances"]])


if __name__ == "__main__":
    app.run()
