"""Booleans of the compare family, which older clients spell as strings."""

from typing import Annotated, Any, Literal

from msgspec import Meta

Flag = Annotated[bool | Literal["true", "false"], Meta(description="a boolean, or one of the strings true and false")]


def is_set(flag: Any) -> bool:
    """Read a flag.

    >>> is_set(True), is_set("true"), is_set("false")
    (True, True, False)
    """
    return flag is True or flag == "true"
