"""The pure centre: values, pointers, diffs, patches, merges. No async, no I/O, no clock, no logging."""
