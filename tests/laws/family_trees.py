"""Two families of twelve people with the same tree, and who is what to whom.

Hinton, G. E. (1986). Learning distributed representations of concepts. Proceedings of the Eighth
Annual Conference of the Cognitive Science Society, 1-12; figure 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

NAMES = (
    "Christopher Penelope Andrew Christine Margaret Arthur Victoria James Jennifer Charles Colin "
    "Charlotte",
    "Roberto Maria Pierro Francesca Gina Emilio Lucia Marco Angela Tomaso Alfonso Sophia",
)
COUPLES = ((0, 1), (2, 3), (5, 4), (7, 6), (9, 8))  # husband, wife
CHILDREN = {(0, 1): (5, 6), (2, 3): (7, 8), (7, 6): (10, 11)}
MEN = frozenset({0, 2, 5, 7, 9, 10})
RELATIONS = (
    "father", "mother", "husband", "wife", "son", "daughter", "uncle", "aunt", "brother",
    "sister", "nephew", "niece",
)  # fmt: skip
OFF, ON = 0.2, 0.8  # what output units should be


def answers_of(person: int) -> dict[str, set[int]]:
    """Return for each relation who stands in it to a person, relations without anyone left out."""
    spouse = {**dict(COUPLES), **{wife: man for man, wife in COUPLES}}
    parents = {child: couple for couple, both in CHILDREN.items() for child in both}

    def siblings(of: int) -> list[int]:
        return [s for s in CHILDREN.get(parents.get(of, (-1, -1)), ()) if s != of]

    def children(of: int) -> list[int]:
        return [c for couple, both in CHILDREN.items() if of in couple for c in both]

    mine = [person] + ([spouse[person]] if person in spouse else [])
    groups = {
        ("father", "mother"): list(parents.get(person, ())),
        ("husband", "wife"): mine[1:],
        ("son", "daughter"): children(person),
        ("uncle", "aunt"): [
            u for p in parents.get(person, ()) for s in siblings(p) for u in (s, spouse[s])
        ],
        ("brother", "sister"): siblings(person),
        ("nephew", "niece"): [c for m in mine for s in siblings(m) for c in children(s)],
    }
    found = {}
    for (of_men, of_women), people in groups.items():
        for relation, is_man in ((of_men, True), (of_women, False)):
            chosen = {p for p in people if (p in MEN) == is_man}
            if chosen:
                found[relation] = chosen
    return found


def triples() -> tuple[Tensor, Tensor]:
    """Return (N, 36) people and relations as one-hot vectors, and (N, 24) who answers them."""
    inputs, targets = [], []
    for family in range(2):
        for person in range(12):
            for relation, people in answers_of(person).items():
                given, wanted = torch.zeros(36), torch.full((24,), OFF)
                given[family * 12 + person] = given[24 + RELATIONS.index(relation)] = 1
                wanted[[family * 12 + p for p in people]] = ON
                inputs.append(given)
                targets.append(wanted)
    return torch.stack(inputs), torch.stack(targets)
