"""Molecules written as SMILES to fingerprints, with RDKit.

Rogers, D. & Hahn, M. (2010). Extended-connectivity fingerprints. Journal of Chemical Information
and Modeling 50(5), 742-754: each bit tells whether some neighbourhood of an atom, up to two bonds
away (diameter 4), occurs; which one is decided by a hash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from samoyed.core.errors import MissingExtra

NUM_BITS = 1024
RADIUS = 2  # bonds

_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()\\/%=#$.:*~]+$")
_ATOMS = re.compile(r"[CNOcnosSPpFIB]|Cl|Br")


def looks_like_smiles(name: str, values: Sequence[str]) -> bool:
    """Tell whether the values of a column seem to be molecules.

    >>> looks_like_smiles("x", ["CCO", "c1ccccc1=O"]), looks_like_smiles("x", ["a dog", "a cat"])
    (True, False)
    """
    some = [value for value in values if value][:200]
    written = [v for v in some if _SMILES.match(v) and _ATOMS.search(v)]
    if "smiles" in name.lower():
        return bool(some)
    has_bonds = any(re.search(r"[=#()\[\]]", value) for value in written)
    return bool(some) and len(written) > 0.98 * len(some) and has_bonds


def fingerprints(cells: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    """Return (N, 1024) uint8 fingerprints, and the rows that are no molecule.

    A molecule with atoms of unusual valence is read without that check.

    Raises:
        MissingExtra: without RDKit.
    """
    try:
        from rdkit import Chem, rdBase
        from rdkit.Chem import rdFingerprintGenerator
    except ImportError:
        raise MissingExtra.of("rdkit", "molecules", "molecules written as SMILES") from None
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=NUM_BITS)
    bits = np.zeros((len(cells), NUM_BITS), np.uint8)
    bad = []
    with rdBase.BlockLogs():  # its complaints are ours to tell, with the line
        for i, cell in enumerate(cells):
            molecule = Chem.MolFromSmiles(cell) if cell else None
            if molecule is None and cell:  # salts and complexes of metals break valence rules
                molecule = Chem.MolFromSmiles(cell, sanitize=False)
                if molecule is not None:
                    molecule.UpdatePropertyCache(strict=False)
                    Chem.FastFindRings(molecule)
            if molecule is None:
                bad.append(i)
            else:
                bits[i] = generator.GetFingerprintAsNumPy(molecule)
    return bits, bad
