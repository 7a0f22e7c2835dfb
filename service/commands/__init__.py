"""What `patchbay` (= `python -m service`) can be told to do, one command per module."""
