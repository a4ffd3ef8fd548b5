"""How a fit declares that it borrows GEAN's gaze. Loads neither numpy nor torch."""

from __future__ import annotations

from reelbench.method import Upstream

NAME = "gaze"


def gaze_upstream(*, preset: str | None = None) -> Upstream:
    """The frozen gaze predictor, put under ``gaze.``; the same fit whoever asks and whichever variant.

    Parameters
    ----------
    preset
        Of GEAN; ``None`` is GEAN's first (``tiny``), or within GEAN the consumer's own.
    """
    return Upstream(
        name=NAME,
        method="gean",
        recipe="gaze",
        variant="full",
        preset=preset,
        parameters={"": f"{NAME}."},
        frozen=(f"{NAME}.",),
    )
