"""A runtime of MLServer, which speaks the Open Inference Protocol: /v2/models/doubles/infer, /v2/health/ready."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Doubles(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0])
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("predictions", 2 * rows)])
