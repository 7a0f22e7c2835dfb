"""A list that the database does not find in time is refused, not retried."""

import pytest
from pymongo.errors import ExecutionTimeout

from service.errors import TooComplexError
from service.store.listing import in_time


def test_running_out_of_time_is_too_complex() -> None:
    with pytest.raises(TooComplexError, match="indexes"), in_time():
        raise ExecutionTimeout("operation exceeded time limit")
