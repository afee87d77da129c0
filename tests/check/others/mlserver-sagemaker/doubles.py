"""A runtime of MLServer with routes of its own, as MLServer's MLflow runtime has them: /ping and /invocations."""

from fastapi import Request, Response
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.handlers import custom_handler
from mlserver.types import InferenceRequest, InferenceResponse


class DoublesForSageMaker(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0])
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("predictions", 2 * rows)])

    @custom_handler(rest_path="/ping", rest_method="GET")
    async def ping(self) -> Response:
        return Response(status_code=200 if self.ready else 503)

    @custom_handler(rest_path="/invocations", rest_method="POST")
    async def invocations(self, request: Request) -> dict[str, list[float]]:
        rows = await request.json()
        return {"predictions": [2 * row for row in rows["instances"]]}
