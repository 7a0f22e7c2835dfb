"""Pairs that nothing was tuned on: documents of several shapes, edited at random, from fixed seeds."""

import json
import random
from typing import Any

SIZES = {"small": (600, 2_500), "medium": (12_000, 120_000), "large": (400_000, 2_000_000), "very large": (5_000_000,)}
WORDS = "the quick report of a late order from north port says nothing about price, weight or the name of its owner"


def texts():
    """Yield a name, the older text and the newer one: every shape in every size."""
    for kind, sizes in SIZES.items():
        for size in sizes:
            for shape, make in SHAPES.items():
                generator = random.Random(f"{shape} {size}")
                document = _grown(make, size, generator)
                before = json.dumps(document, **LAYOUTS[shape])
                after = json.dumps(edited(document, generator), **LAYOUTS[shape])
                yield f"{kind}: {shape}, {size:,} bytes", before.encode(), after.encode()


def edited(document, generator):
    """Change, add, remove and reorder here and there: three places and one in 500 containers."""
    document = json.loads(json.dumps(document))
    containers = list(_containers(document))
    for container in generator.sample(containers, max(1, min(len(containers), 3 + len(containers) // 500))):
        _edit(container, generator)
    return document


def _containers(document):
    waiting = [document]
    while waiting:
        container = waiting.pop()
        values = container.values() if isinstance(container, dict) else container
        if container:
            yield container
        waiting += [value for value in values if isinstance(value, dict | list)]


def _edit(container, generator):
    action = generator.randrange(5)
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    key = generator.choice(keys)
    if action == 0:
        del container[key]
    elif action == 1 and isinstance(container, list):
        container.insert(key, generator.choice(container))
    elif action == 1:
        container["added"] = _sentence(generator)
    elif action == 2 and isinstance(container, list):
        container.append(container.pop(key))
    else:
        container[key] = _changed(container[key], generator)


def _changed(value, generator):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + generator.choice([1, -1, 0.5])
    return f"{value} (new)" if isinstance(value, str) else _sentence(generator)


def _grown(make, size, generator):
    """Give as many parts as make about that many bytes."""
    parts = []
    bytes_so_far = 0
    while bytes_so_far < size:
        parts.append(make(len(parts), generator))
        bytes_so_far += len(json.dumps(parts[-1])) + 1
    if all(isinstance(part, tuple) for part in parts):
        return dict(parts)
    return {"version": 3, "items": parts}


def _sentence(generator, most=12):
    return " ".join(generator.choices(WORDS.split(), k=generator.randrange(1, most)))


def _order(place, generator):
    return {
        "orderId": f"{generator.getrandbits(64):016x}",
        "customer": {"name": _sentence(generator, 4), "e-mail": f"user{place}@example.com", "vip": place % 7 == 0},
        "lines": [
            {"sku": f"SKU-{generator.randrange(10**6)}", "quantity": generator.randrange(1, 9), "price": 9.99}
            for _ in range(generator.randrange(1, 5))
        ],
        "note": None if generator.random() < 0.5 else _sentence(generator),
    }


def _feature(place, generator):
    ring = [[round(generator.uniform(-180, 180), 6), round(generator.uniform(-90, 90), 6)] for _ in range(12)]
    return {
        "type": "Feature",
        "id": place,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": {"name": _sentence(generator, 3), "area": generator.randrange(10**6)},
    }


def _package(place, generator):
    version = ".".join(str(generator.randrange(20)) for _ in range(3))
    return f"node_modules/package-{place}", {
        "version": version,
        "resolved": f"https://registry.example.org/package-{place}/-/package-{place}-{version}.tgz",
        "integrity": f"sha512-{generator.getrandbits(512):0128x}",
        "dependencies": {f"package-{generator.randrange(10_000)}": f"^{n}.0.0" for n in range(generator.randrange(4))},
    }


def _line(place, generator):
    return f'{place:08d} {_sentence(generator, 30)} \u00e9\u00e8 \u2192 {generator.random():.3f}\n\t"{place}"'


def _row(_place, generator):
    return [
        generator.randrange(10**6),
        generator.random(),
        generator.choice([True, False, None]),
        str(generator.random()),
    ]


SHAPES = {"orders": _order, "features": _feature, "packages": _package, "lines": _line, "rows": _row}
LAYOUTS: dict[str, dict[str, Any]] = {
    "orders": {"separators": (",", ":")},
    "features": {},
    "packages": {"indent": 2},
    "lines": {"separators": (",", ":"), "ensure_ascii": False},
    "rows": {"separators": (",", ":")},
}
