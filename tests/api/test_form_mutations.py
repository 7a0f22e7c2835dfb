"""Forms that went wrong on the way: cut, doubled, flipped, spliced. Never a 500, always a problem that says where."""

import io
import random

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]

FORM = (
    b"preamble\r\n"
    b'--xx\r\nContent-Disposition: form-data; name="a"; filename="a.json"\r\nContent-Type: application/json\r\n\r\n'
    b'{"n": [1, 2]}\r\n'
    b'--xx\r\nContent-Disposition: file; b="b.yml"\r\nContent-Transfer-Encoding: base64\r\n\r\nbjogWzFd\r\n'
    b"--xx\r\ncontent-disposition: form-data; name=patchDirection\r\n\r\naToB\r\n"
    b'--xx\r\nContent-Disposition: form-data; name="dxConfig"\r\nContent-Encoding: identity\r\n\r\n[]\r\n'
    b"--xx--\r\nepilogue"
)
PIECES = [
    b"--xx",
    b"--xx--",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b":",
    b'"',
    b";",
    b"\x00",
    b"\xff",
    b"name=",
    b"gzip",
    b"=?x?",
    b"%",
]


def mutate(form: bytes, chance: random.Random) -> bytes:
    """Change a form in one to four places."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(form) + 1)
        end = min(len(form), start + chance.choice([0, 1, 2, 10, 60]))
        middle = chance.choice([b"", chance.choice(PIECES), chance.randbytes(3), form[start:end] * 2, form[end:start]])
        form = form[:start] + middle + form[end:]
    return form


@pytest.mark.parametrize("seed", range(8))
async def test_no_mutation_is_an_internal_error(client: Client, seed: int) -> None:
    chance = random.Random(seed)
    statuses = set()

    for _ in range(100):
        form = mutate(FORM, chance)
        response = await client.post(
            "/api/json/v1/patch", data=io.BytesIO(form), headers={"Content-Type": "multipart/form-data; boundary=xx"}
        )
        answer = await response.json(content_type=None)
        statuses.add(response.status)
        assert response.status == 200 or answer["code"] != "internal-error", form

    assert statuses <= {200, 400, 403, 409, 413, 415, 422}
    assert 400 in statuses


async def test_form_is_sound_before_it_is_mutated(client: Client) -> None:
    response = await client.post(
        "/api/json/v1/patch", data=io.BytesIO(FORM), headers={"Content-Type": "multipart/form-data; boundary=xx"}
    )

    assert (response.status, await response.json()) == (200, [{"op": "remove", "path": "/n/1"}])
