"""The service's settings: one frozen Struct, read from a mapping of environment variables, each with its meaning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

PREFIX = "PATCHBAY_"
TEST_PREFIX = "PATCHBAY_TEST_"
"""Variables of the test suite, which a service started by a test may inherit."""

MIB = 1024 * 1024
Positive = Meta(gt=0)
Seconds = Meta(gt=0, le=365 * 86_400)
MOST_DAYS = 36_500


def _says(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting with its default. The variable of `max_depth` is `PATCHBAY_MAX_DEPTH`."""

    host: Annotated[str, _says("address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535), _says("port to listen on; 0 lets the system choose")] = 8080
    workers: Annotated[int, Meta(ge=1, le=256), _says("processes that share the port")] = 1
    data_dir: Annotated[Path, _says("where the embedded MongoDB keeps its data")] = Path(".patchbay")
    mongodb_uri: Annotated[str | None, _says("a replica set or cluster of your own; none: the embedded MongoDB")] = None
    mongodb_database: Annotated[
        str,
        Meta(pattern=r"^(?!(?i:admin|config|local)$)[A-Za-z0-9_-]{1,38}$"),
        _says("name of the database; `admin`, `config` and `local` are MongoDB's own"),
    ] = "patchbay"
    files_root: Annotated[Path | None, _says("folder the `file` reader may read below; none: reader off")] = None
    url_allow: Annotated[
        tuple[str, ...], _says("hosts and networks that URLs may name though not public, comma-separated")
    ] = ()
    url_ports: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65535)], ...], _says("ports that URLs may name, comma-separated")
    ] = (80, 443)
    url_timeout_s: Annotated[float, Seconds, _says("seconds for one remote source, redirects included")] = 10.0
    max_body_bytes: Annotated[int, Positive, _says("largest request body, after decompression")] = 64 * MIB
    max_bodies_bytes: Annotated[
        int, Positive, _says("large request bodies and inputs held at a time, all together; one alone may be larger")
    ] = 512 * MIB
    max_input_bytes: Annotated[int, Positive, _says("largest single input, after decompression")] = 32 * MIB
    max_depth: Annotated[int, Meta(gt=0, le=200), _says("deepest nesting of containers when comparing")] = 200
    max_operations: Annotated[int, Positive, _says("most operations in a patch that is sent")] = 10_000
    max_parts: Annotated[int, Positive, _says("most parts in a form")] = 100
    body_timeout_s: Annotated[float, Seconds, _says("seconds for a request's body to arrive")] = 60.0
    keep_alive_s: Annotated[float, Seconds, _says("seconds a connection may take to send its next headers")] = 75.0
    diff_timeout_s: Annotated[float, Seconds, _says("seconds for one comparison, or for converting one input")] = 30.0
    engine: Annotated[Literal["auto", "native", "python"], _says("diff engine; auto: native where it was built")] = (
        "auto"
    )
    engine_keep_bytes: Annotated[
        int, Meta(ge=0), _says("memory that idle buffers of the native engine may keep, all together")
    ] = 128 * MIB
    auth: Annotated[Literal["none", "keys", "jwt"], _says("who may call; none only while listening on loopback")] = (
        "none"
    )
    jwt_jwks: Annotated[str | None, _says("URL or file of the JWKS, or file of the PEM, that signs tokens")] = None
    jwt_issuer: Annotated[str | None, _says("issuer that tokens must name")] = None
    jwt_audience: Annotated[str | None, _says("audience that tokens must name")] = None
    rate_limit: Annotated[float, Meta(ge=0, le=1e6), _says("requests per second and caller; 0: no limit")] = 0.0
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _says("least severe log line written")] = "info"
    slow_request_s: Annotated[float, Seconds, _says("requests that take longer are logged as slow")] = 5.0
    otlp_endpoint: Annotated[str | None, _says("OTLP collector to send spans to; needs patchbay[telemetry]")] = None
    events_kept_days: Annotated[float, Meta(gt=0, le=MOST_DAYS), _says("days that events of the feed are kept")] = 30.0
    job_timeout_s: Annotated[float, Seconds, _says("seconds that the work of one job may take")] = 300.0
    job_lease_s: Annotated[
        float, Meta(ge=1, le=86_400), _says("seconds after which a job of an instance that has died is taken over")
    ] = 15.0
    history_versions: Annotated[
        int, Meta(ge=0), _says("newest versions kept of a resource, beside those of history_days; 0: see there")
    ] = 0
    history_days: Annotated[
        float,
        Meta(ge=0, le=MOST_DAYS),
        _says("days that versions are kept; 0: see history_versions, and both 0: all are"),
    ] = 0.0
    shutdown_grace_s: Annotated[float, Seconds, _says("seconds that requests in flight may take at shutdown")] = 30.0


class SettingsError(ValueError):
    """A variable that is unknown or has a bad value; the message names it."""


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raise `SettingsError` naming a variable that is unknown or cannot be understood."""
    known = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    given = {key: text for key, text in environ.items() if key.startswith(PREFIX) and not key.startswith(TEST_PREFIX)}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting. `patchbay --help` lists them all.")
    hints = get_type_hints(Settings, include_extras=True)
    return Settings(
        **{known[key]: _convert(key, text, hints[known[key]]) for key, text in given.items() if text.strip()}
    )


def _convert(variable: str, text: str, hint: Any) -> Any:
    value: Any = [part.strip() for part in text.split(",") if part.strip()] if _is_tuple(hint) else text.strip()
    target = msgspec.inspect.type_info(hint)
    if Path in (_plain(hint), *get_args(_plain(hint))):
        return _path(variable, value)
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable} is {text!r}: {error}. It must be {_kind(target)}.") from error


def _path(variable: str, text: str) -> Path:
    """Read a path; `~` is what a shell makes of it, also where none was at work (systemd, compose files)."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{variable} is {text!r}: nobody of that name has a home here.") from error


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _is_tuple(hint: Any) -> bool:
    return get_origin(_plain(hint)) is tuple


def _kind(info: Any) -> str:
    inner = info.type if isinstance(info, msgspec.inspect.Metadata) else info
    if isinstance(inner, msgspec.inspect.LiteralType):
        return "one of " + ", ".join(str(each) for each in inner.values)
    return {"IntType": "a whole number", "FloatType": "a number", "VarTupleType": "a list with commas"}.get(
        type(inner).__name__, "text of the form described"
    )


def describe() -> list[tuple[str, str, str]]:
    """List every setting as (variable, default, meaning), in the order they are defined."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        (PREFIX + field.encode_name.upper(), _shown(field.default), _meaning(hints[field.name]))
        for field in msgspec.structs.fields(Settings)
    ]


def _meaning(hint: Any) -> str:
    return next(str(meta.description) for meta in hint.__metadata__ if meta.description)


def _shown(default: Any) -> str:
    if default is None or default == ():
        return "(none)"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
