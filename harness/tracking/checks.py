"""Whether a stage's files are what its record says: one digest a kind of stage, computed again from the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from reelbench.errors import PredictionError
from reelbench.predictions import META, Predictions
from reelbench.stages import fit_digest, sheet_digest


def verify(kind: str, folder: Path, digest: str) -> str | None:
    """``None`` where the stage's files in a folder hash to the digest, else what is wrong with them."""
    try:
        found = DIGESTS[kind](folder)
    except FileNotFoundError as error:
        return f"{Path(str(error.filename)).name} is gone"
    except (OSError, PredictionError):
        return "its files cannot be read"
    return None if found == digest else "its files were altered"


def predictions_digest(folder: Path) -> str:
    """The digest of the predictions, which loading them has computed from their values and compared."""
    if not (folder / META).exists():
        raise FileNotFoundError(2, "no predictions", str(folder / META))
    Predictions.load(folder)
    return str(json.loads((folder / META).read_text(encoding="utf-8"))["digest"])


DIGESTS: Mapping[str, Callable[[Path], str]] = {
    "fit": fit_digest,
    "predict": predictions_digest,
    "score": sheet_digest,
}
