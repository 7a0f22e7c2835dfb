"""One way of writing a patch for all engines, so that what differs in size is what the patches say."""

import json

EXACT_IN_DOUBLES = 10**15


def respelt(patch):
    """Give a patch with whole numbers written without a fraction, as the peers in JavaScript write all of them.

    >>> respelt(b'[{"op":"add","path":"/a","value":58.0}]')
    b'[{"op":"add","path":"/a","value":58}]'
    """
    operations = json.loads(patch, parse_float=_number)
    return json.dumps(operations, separators=(",", ":"), ensure_ascii=False).encode()


def _number(text):
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < EXACT_IN_DOUBLES else number
