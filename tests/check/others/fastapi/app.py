"""Doubles numbers, for uvicorn to serve."""

from fastapi import FastAPI, Response
from pydantic import BaseModel

app = FastAPI()


class Rows(BaseModel):
    instances: list[float] = []


@app.get("/ping")
async def ping() -> Response:
    return Response()


@app.post("/invocations")
async def invocations(rows: Rows) -> dict[str, list[float]]:
    return {"predictions": [2 * row for row in rows.instances]}
