"""The peer as one would write it by hand: FastAPI and jsonpatch. `python -m uvicorn fastapi_app:app`."""

from typing import Any

import jsonpatch
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Pair(BaseModel):
    a: Any
    b: Any


@app.post("/patch")
def create_patch(pair: Pair) -> list[dict[str, Any]]:
    """Not `async`: FastAPI then runs it in a thread, beside the event loop."""
    return jsonpatch.make_patch(pair.a, pair.b).patch
