"""The service one writes first: aiohttp and motor, one database call awaited after the other for each request.

It reads, applies the JSON Patch, and writes under the condition that the version still stands; no history, no log.
"""

import sys
import uuid
from typing import Any

import jsonpatch
import msgspec
import uvloop
from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient

CLINICS = web.AppKey[Any]("CLINICS")


async def post_clinic(request: web.Request) -> web.Response:
    content = msgspec.json.decode(await request.read())
    clinic = {"_id": str(uuid.uuid4()), "version": 1, "content": content}
    await request.app[CLINICS].insert_one(clinic)
    return reply(clinic, 201)


async def get_clinic(request: web.Request) -> web.Response:
    return reply(await request.app[CLINICS].find_one({"_id": request.match_info["id"]}))


async def patch_clinic(request: web.Request) -> web.Response:
    patch = msgspec.json.decode(await request.read())
    while True:
        clinic = await request.app[CLINICS].find_one({"_id": request.match_info["id"]})
        content = jsonpatch.apply_patch(clinic["content"], patch, in_place=True)
        found = await request.app[CLINICS].update_one(
            {"_id": clinic["_id"], "version": clinic["version"]}, {"$set": {"content": content}, "$inc": {"version": 1}}
        )
        if found.matched_count:
            return reply({**clinic, "content": content})


def reply(clinic: dict, status: int = 200) -> web.Response:
    body = msgspec.json.encode({"id": clinic["_id"], **clinic["content"]})
    return web.Response(body=body, status=status, content_type="application/json")


async def serve(uri: str, port: int) -> None:
    app = web.Application()
    app[CLINICS] = AsyncIOMotorClient(uri, w="majority")["plain"]["clinics"]
    app.router.add_post("/v1/clinic", post_clinic)
    app.router.add_get("/v1/clinic/{id}", get_clinic)
    app.router.add_patch("/v1/clinic/{id}", patch_clinic)
    await web._run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)  # noqa: SLF001


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
