import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SourceForbiddenError, StartError
from service.readers.guard import MAX_URL_LENGTH, Guard

HOSTILE = json.loads((Path(__file__).parents[2] / "cases" / "hostile-urls.json").read_text())["urls"]
GUARD = Guard()


def judge(guard: Guard, url: str, addresses: list[str]) -> str:
    """Do what the client does before it connects; return the URL that it would send."""
    target = guard.target(url)
    assert target.address is not None or addresses, "passed the text, and the case has no addresses to look up"
    for address in addresses:
        guard.check_address(target.host, ip_address(address))
    return target.url


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in HOSTILE])
def test_hostile_url_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SourceForbiddenError) as caught:
        judge(GUARD, case["url"], case.get("addresses", []))

    assert not any(
        address in caught.value.detail for address in case.get("addresses", []) if address not in case["url"]
    )
    assert len(caught.value.detail) < 300


def test_there_are_enough_hostile_urls() -> None:
    assert len({each["url"] for each in HOSTILE}) >= 80


@pytest.mark.parametrize(
    ("url", "address", "sent"),
    [
        ("http://example.com", "93.184.215.14", "http://example.com:80/"),
        ("HTTPS://Example.COM./a?b=c#d", "93.184.215.14", "https://example.com:443/a?b=c"),
        ("http://example.com:443?q", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "http://example.com:443/?q"),
        ("http://bücher.example/", "93.184.215.14", "http://xn--bcher-kva.example:80/"),
        ("http://ex_ample.com/", "93.184.215.14", "http://ex_ample.com:80/"),
        ("http://nat64.example/", "64:ff9b::5db8:d70e", "http://nat64.example:80/"),
        ("http://mapped.example/", "::ffff:93.184.215.14", "http://mapped.example:80/"),
        ("http://93.184.215.14/", "93.184.215.14", "http://93.184.215.14:80/"),
        ("http://[2606:2800:021F::1]/", "2606:2800:21f::1", "http://[2606:2800:21f::1]:80/"),
        ("http://1.example.com/", "8.8.8.8", "http://1.example.com:80/"),
    ],
)
def test_public_url_passes_in_its_plain_spelling(url: str, address: str, sent: str) -> None:
    assert judge(GUARD, url, [address]) == sent


@pytest.mark.parametrize(
    ("allow", "url", "address"),
    [
        (["10.1.0.0/16"], "http://10.1.2.3/", "10.1.2.3"),
        (["10.1.0.0/16"], "http://intranet.example.com/", "10.1.2.3"),
        (["127.0.0.1"], "http://[::ffff:127.0.0.1]/", "127.0.0.1"),
        (["::1"], "http://[::1]/", "::1"),
        (["[::1]"], "http://[0:0::1]/", "::1"),
        (["fd00::/8"], "http://a.example.com/", "fd00::5"),
        (["localhost"], "http://LOCALHOST./", "127.0.0.1"),
        (["Wiki.Internal."], "http://wiki.internal/", "10.9.9.9"),
        (["metadata"], "http://metadata/", "169.254.169.254"),
    ],
)
def test_operator_opens_hosts_and_networks(allow: list[str], url: str, address: str) -> None:
    assert judge(Guard(allow), url, [address])
    with pytest.raises(SourceForbiddenError):
        judge(GUARD, url, [address])


@pytest.mark.parametrize(
    ("allow", "url", "address"),
    [
        (["10.1.0.0/16"], "http://10.2.0.1/", "10.2.0.1"),
        (["wiki.internal"], "http://other.internal/", "10.9.9.9"),
        (["example.com"], "http://sub.example.com/", "10.9.9.9"),
        (["127.0.0.1"], "http://127.1/", "127.0.0.1"),
        (["127.0.0.1"], "http://0x7f000001/", "127.0.0.1"),
        (["127.0.0.1"], "http://127.0.0.2/", "127.0.0.2"),
        (["0.0.0.0/0"], "http://[::1]/", "::1"),
    ],
)
def test_what_is_opened_opens_nothing_else(allow: list[str], url: str, address: str) -> None:
    with pytest.raises(SourceForbiddenError):
        judge(Guard(allow), url, [address])


@pytest.mark.parametrize("entry", ["http://example.com", "10.0.0.0/33", "*.example.com", "a b", "1.2.3", "0x7f.1", ""])
def test_entry_that_is_neither_host_nor_network_is_refused(entry: str) -> None:
    with pytest.raises(StartError, match="neither a host nor a network"):
        Guard([entry])


def test_ports_are_those_of_the_setting() -> None:
    guard = Guard(ports=[8443])

    assert guard.target("https://example.com:8443/").port == 8443
    with pytest.raises(SourceForbiddenError, match=r"8443.*PATCHBAY_URL_PORTS"):
        guard.target("https://example.com/")


def test_url_at_the_longest_passes() -> None:
    url = "http://example.com/"

    assert GUARD.target(url + "a" * (MAX_URL_LENGTH - len(url))).host == "example.com"


@given(
    st.text(max_size=80) | st.text("htps:/@[]0123456789.x%#?\\ abé。", max_size=40).map(lambda text: "http://" + text)
)
def test_any_text_is_a_target_or_a_refusal(text: str) -> None:
    try:
        target = GUARD.target(text)
    except SourceForbiddenError:
        return

    assert GUARD.target(target.url) == target


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_private_addresses_are_private_in_every_disguise(address: Any) -> None:
    number = int(address)
    spellings = [
        str(number),
        hex(number),
        oct(number).replace("o", ""),
        f"[::ffff:{address}]",
        f"[64:ff9b::{address}]",
        f"[::{address}]",
        f"{number >> 24}.{number & 0xFFFFFF}",
        f"{address}.",
    ]

    for host in spellings:
        with pytest.raises(SourceForbiddenError):
            GUARD.target(f"http://{host}/")
