"""The scenes, in the order they are played. A scene is a module with a `TITLE` and a `play(stage)`."""

from collections.abc import Callable
from typing import NamedTuple

from demo.scenes import delivery, documents, family, history, inputs, patches, resources, sample
from demo.stage import Stage


class Scene(NamedTuple):
    """One thing that the service does, shown: `play` sends requests and says what must hold."""

    title: str
    play: Callable[[Stage], None]


ALL = {
    "sample": Scene(sample.TITLE, sample.play),
    "documents": Scene(documents.TITLE, documents.play),
    "family": Scene(family.TITLE, family.play),
    "inputs": Scene(inputs.TITLE, inputs.play),
    "resources": Scene(resources.TITLE, resources.play),
    "history": Scene(history.TITLE, history.play),
    "patches": Scene(patches.TITLE, patches.play),
    "delivery": Scene(delivery.TITLE, delivery.play),
}
"""By the name that `python -m demo NAME` plays it under. Add yours here."""
