"""Patchbay: what changed between two JSON documents, and where may that change go?"""

__version__ = "0.1.0"
