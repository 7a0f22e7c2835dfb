from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.readers.address import carried, is_public

PUBLIC = [
    "8.8.8.8",
    "1.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "168.63.129.15",
    "2606:2800:21f::1",
    "2a00::",
    "2001:200::1",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
]
OTHERS = [
    "0.1.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "224.0.0.0",
    "168.63.129.16",
    "::",
    "::1",
    "2001:1ff::",
    "2002::",
    "3fff:fff::",
    "4000::",
    "64:ff9b:1::",
    "::ffff:10.0.0.1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", OTHERS)
def test_other_addresses_are_not(text: str) -> None:
    assert not is_public(ip_address(text))


def test_carried_is_the_address_inside() -> None:
    inner = ip_address("10.0.0.1")

    assert [carried(ip_address(text)) for text in ("::ffff:10.0.0.1", "64:ff9b::a00:1", "::1", "10.0.0.1")] == [
        inner,
        inner,
        None,
        None,
    ]


@given(st.ip_addresses())
def test_public_is_never_what_python_calls_private(address: Any) -> None:
    """A second opinion: the standard library's tables, which leave out what only we refuse."""
    carried = getattr(address, "ipv4_mapped", None)
    translated = address.version == 6 and address.exploded.startswith("0064:ff9b")

    assert carried or translated or not is_public(address) or not address.is_private
