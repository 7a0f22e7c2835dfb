"""Pairs of documents of about a size: records by key, and the same records as a list."""

import json
import random

SIZES = {"4 KB": 4_000, "100 KB": 100_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
RECORD_BYTES = 200


def by_key(size):
    """An object of records, 1 % of them edited: nothing in it is hard for anybody."""
    before = {f"clinic-{place}": record for place, record in enumerate(_records(size))}
    after = json.loads(json.dumps(before))
    for name in random.Random(1).sample(sorted(after), max(1, len(after) // 100)):
        after[name]["beds"] += 1
    return before, after


def in_a_list(size):
    """The records as a list, 1 % of them edited and a new one at the head: what was where has to be found."""
    before = list(_records(size))
    after = json.loads(json.dumps(before))
    for place in random.Random(1).sample(range(len(after)), max(1, len(after) // 100)):
        after[place]["beds"] += 1
    return before, [{"id": "new", "name": "New clinic"}, *after]


SHAPES = {"records by key": by_key, "a list of records": in_a_list}


def _records(size):
    draw = random.Random(size)
    for place in range(max(1, size // RECORD_BYTES)):
        yield {
            "id": f"c-{place}",
            "name": f"Clinic of {draw.choice(['feet', 'hands', 'eyes', 'hearts'])} {place}",
            "phone": [{"value": str(draw.randrange(10**7)), "use": "main"}, {"value": str(draw.randrange(10**7))}],
            "beds": draw.randrange(500),
            "open": draw.random() < 0.5,
            "address": {"city": f"City {draw.randrange(60)}", "street": f"Street {draw.randrange(999)}", "floor": None},
        }
