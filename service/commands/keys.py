"""`patchbay keys create | list | revoke`: API keys, made and shown once here, nowhere else."""

import argparse
import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import get_args

from service.access import secrets
from service.core.definition import TYPE_NAME, TYPE_NAME_RULE
from service.core.timestamp import format_timestamp, parse_timestamp
from service.errors import StartError
from service.model import LONGEST_NAME, ApiKey, Role, is_name
from service.settings import Settings
from service.store.keys import MongoKeys
from service.store.session import open_client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line below `patchbay keys`."""
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    create = actions.add_parser("create", help="make a key and show it, once")
    create.add_argument("--name", required=True, help="who will hold it; becomes `createdBy` and the history's author")
    create.add_argument("--role", required=True, choices=get_args(Role))
    create.add_argument("--type", action="append", default=[], help="grant this resource type only (may be repeated)")
    create.add_argument("--expires", help="RFC 3339 timestamp, or a number of days such as 90d")
    actions.add_parser("list", help="list keys: who, what for, when used last")
    revoke = actions.add_parser("revoke", help="revoke a key for good")
    revoke.add_argument("id", help="the key's id, from `patchbay keys list`")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Do what was asked; return the exit code."""
    return asyncio.run(_run(settings, asked))


async def _run(settings: Settings, asked: argparse.Namespace) -> int:
    founds = asked.action == "create"
    async with open_client(settings.mongodb_uri, settings.data_dir, founds=founds) as client:
        store = MongoKeys(client[settings.mongodb_database])
        match asked.action:
            case "create":
                return await _create(store, asked)
            case "list":
                return await _list(store)
            case _:
                return await _revoke(store, asked.id)


async def _create(store: MongoKeys, asked: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    text = secrets.generate()
    await store.insert(
        ApiKey(
            id=text.id,
            digest=secrets.digest(text.secret),
            name=_name(asked.name),
            role=asked.role,
            created_at=format_timestamp(now),
            types=tuple(map(_type, asked.type)),
            expires_at=_expiry(asked.expires, now),
        )
    )
    try:
        print(text, flush=True)
    except OSError:
        await store.revoke(text.id, format_timestamp(now))  # nobody has seen it
        raise
    print(f"\nShown once; only its digest is kept. Try:  curl -H 'Authorization: Bearer pb_{text.id}_…' …/v1/TYPE/ID")
    return 0


def _name(name: str) -> str:
    if not is_name(name):
        raise StartError(f"--name is {name[:LONGEST_NAME]!r}; give 1 to {LONGEST_NAME} printable characters.")
    return name


def _type(name: str) -> str:
    if not re.fullmatch(TYPE_NAME, name):
        raise StartError(f"--type is {name!r}; {TYPE_NAME_RULE}.")
    return name


def _expiry(text: str | None, now: datetime) -> str | None:
    if text is None:
        return None
    try:
        moment = now + timedelta(days=int(text[:-1])) if text.endswith("d") else parse_timestamp(text)
    except (ValueError, OverflowError) as error:
        raise StartError(f"--expires is {text!r}; give an RFC 3339 timestamp or days such as 90d.") from error
    if moment <= now:
        raise StartError(f"--expires is {text!r}, which is past; such a key would open nothing.")
    return format_timestamp(moment)


async def _list(store: MongoKeys) -> int:
    keys = await store.list_all()
    for key in keys:
        state = "revoked" if key.revoked_at else f"expires {key.expires_at}" if key.expires_at else "active"
        types = ",".join(key.types) or "all types"
        print(f"{key.id}  {key.role:<8}  {key.name:<24}  {types:<24}  {state}  used {key.used_at or 'never'}")
    if not keys:
        print("There are no keys. Make one: patchbay keys create --name NAME --role writer")
    return 0


async def _revoke(store: MongoKeys, key_id: str) -> int:
    if not await store.revoke(key_id, format_timestamp(datetime.now(UTC))):
        print(f"There is no key {key_id} that is not revoked already. `patchbay keys list` lists them.")
        return 1
    print(f"{key_id} is revoked; running services refuse it within two seconds.")
    return 0
