"""How evaluations are found by what identifies them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

KEYS_A_QUERY = 500
"""How many keys one query names."""


def key_text(key: Sequence[str | None]) -> str:
    """An evaluation's key (:attr:`Evaluation.key`) as the store has it.

    Example:
        >>> len(key_text(("m", "drift", "psi", "age", None, "training", "2024-05-01")))
        32
    """
    return hashlib.blake2b(json.dumps(key).encode(), digest_size=16).hexdigest()
