"""What each paper claims and how samoyed measures it: the tables behind `evidence/`."""

from __future__ import annotations

from samoyed.claims import language, pictures, sequences, tables
from samoyed.claims.claim import Claim

__all__ = ["CLAIMS", "Claim", "claims_of"]

CLAIMS: tuple[Claim, ...] = (
    *pictures.CLAIMS, *tables.CLAIMS, *language.CLAIMS, *sequences.CLAIMS,
)  # fmt: skip


def claims_of(system: str) -> list[Claim]:
    """List the claims of a system."""
    return [claim for claim in CLAIMS if claim.system == system]
