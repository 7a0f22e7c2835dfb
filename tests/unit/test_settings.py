"""Settings come from a mapping, and what cannot be understood stops the start."""

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, describe, load


def test_defaults_listen_on_loopback_only() -> None:
    assert load({}).host == "127.0.0.1"


def test_values_are_converted() -> None:
    given = {"PATCHBAY_PORT": "0", "PATCHBAY_URL_PORTS": "80, 8443", "PATCHBAY_DATA_DIR": "data", "HOME": "ignored"}

    settings = load(given)

    assert settings.port == 0
    assert settings.url_ports == (80, 8443)
    assert settings.data_dir == Path("data")


def test_home_is_found_where_no_shell_has_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")

    assert load({"PATCHBAY_DATA_DIR": "~/data"}).data_dir == Path("/home/ann/data")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PATCHBAY_PORTS", "8080"),
        ("PATCHBAY_DATA_DIR", "~nobody-at-all/data"),
        ("PATCHBAY_PORT", "nine"),
        ("PATCHBAY_PORT", "70000"),
        ("PATCHBAY_WORKERS", "0"),
        ("PATCHBAY_LOG_LEVEL", "loud"),
        ("PATCHBAY_URL_PORTS", "80,x"),
        ("PATCHBAY_URL_PORTS", "80,70000"),
        ("PATCHBAY_URL_PORTS", "0"),
        ("PATCHBAY_MONGODB_DATABASE", "a/b"),
        ("PATCHBAY_MAX_DEPTH", "201"),
        ("PATCHBAY_URL_TIMEOUT_S", "inf"),
        ("PATCHBAY_JOB_LEASE_S", "inf"),
        ("PATCHBAY_HISTORY_DAYS", "1e9"),
        ("PATCHBAY_EVENTS_KEPT_DAYS", "inf"),
        ("PATCHBAY_EVENTS_KEPT_DAYS", "nan"),
        ("PATCHBAY_RATE_LIMIT", "inf"),
    ],
)
def test_a_bad_variable_is_named(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load({variable: text})


def test_blank_text_is_no_value() -> None:
    assert load({"PATCHBAY_HOST": " "}).host == "127.0.0.1"


def test_every_setting_is_described() -> None:
    assert [variable for variable, _, _ in describe()] == [f"PATCHBAY_{n.upper()}" for n in Settings.__struct_fields__]
    assert all(meaning for _, _, meaning in describe())
