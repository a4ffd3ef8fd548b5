"""How every method reads sentences off its model: one rule, so that a search is never mistaken for a model.

Loads no torch: methods name it as their ``Predict`` settings.
"""

from __future__ import annotations

from pydantic import Field

from reelbench.method import Config


class SentenceSearch(Config):
    """Beam search, with the same width, ranking and longest sentence for all who write; a width of 1 is greedy.

    A method with settings of its own sub-classes it and leaves these defaults alone. What a paper searched otherwise
    stands under the method's departures, or is a variant (``{"predict.beam": 1}``).
    """

    beam: int = Field(default=5, ge=1)
    max_words: int = Field(default=30, ge=1)
