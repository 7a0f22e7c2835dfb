"""Patch records as they are kept."""

import msgspec

from service.patches import Definition


def test_an_id_that_was_kept_with_a_line_end_is_read() -> None:
    assert msgspec.json.decode(b'{"patch_id": "p\\n"}', type=Definition).patch_id == "p\n"
