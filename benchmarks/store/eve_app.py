"""python-eve as a user would set it up for the same documents; run by gunicorn in an environment of its own."""

import os

from eve import Eve

application = Eve(
    settings={
        "MONGO_URI": os.environ["BENCH_MONGO_URI"],
        "MONGO_DBNAME": "eve",
        "MONGO_WRITE_CONCERN": {"w": "majority"},
        "RESOURCE_METHODS": ["GET", "POST"],
        "ITEM_METHODS": ["GET", "PATCH"],
        "IF_MATCH": False,
        "RENDERERS": ["eve.render.JSONRenderer"],
        "DOMAIN": {"clinic": {"allow_unknown": True, "schema": {}}},
    }
)
