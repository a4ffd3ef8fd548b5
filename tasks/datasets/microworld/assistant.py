"""The second process of a generation: ``python -m …microworld.assistant ROOT CORPUS``.

CORPUS is JSON. Takes shards from the end of the list while the first process takes them from its start, and stops when that one is
gone. What it leaves undone, the first process does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from reelbench.tasks.datasets.microworld.shards import fill, list_shards
from reelbench.tasks.datasets.microworld.sizes import Corpus, MicroworldSize


def main(root: str, described: str) -> None:
    """Make shards until none is left."""
    facts = json.loads(described)
    corpus = Corpus(**{**facts, "stories": MicroworldSize(**facts["stories"])})
    parent = os.getppid()

    def stop_if_alone(done: int, total: int) -> None:
        if os.getppid() != parent:
            sys.exit(1)

    fill(corpus, Path(root), list_shards(corpus.stories)[::-1], stop_if_alone, wait=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
