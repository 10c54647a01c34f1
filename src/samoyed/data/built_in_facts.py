"""Two small worlds of facts that papers learned from, drawn up from their descriptions.

* `family-trees`: two families of twelve people with the same tree, and who is what to whom. Hinton,
  G. E. (1986). Learning distributed representations of concepts. Proceedings of the Eighth Annual
  Conference of the Cognitive Science Society, 1-12; figure 1.
* `living-things`: four plants and four animals, what they are, have, can do and look like.
  Rumelhart, D. E. & Todd, P. M. (1993); Rogers, T. T. & McClelland, J. L. (2004). Semantic
  cognition. MIT Press, chapter 2.
"""

from __future__ import annotations

Fact = tuple[str, str, str]
"""(subject, relation, object)."""

FAMILIES = (
    "Christopher Penelope Andrew Christine Margaret Arthur Victoria James Jennifer Charles Colin "
    "Charlotte",
    "Roberto Maria Pierro Francesca Gina Emilio Lucia Marco Angela Tomaso Alfonso Sophia",
)
COUPLES = ((0, 1), (2, 3), (5, 4), (7, 6), (9, 8))  # husband, wife
CHILDREN = {(0, 1): (5, 6), (2, 3): (7, 8), (7, 6): (10, 11)}
MEN = frozenset({0, 2, 5, 7, 9, 10})
KINSHIP = (
    "father", "mother", "husband", "wife", "son", "daughter", "uncle", "aunt", "brother",
    "sister", "nephew", "niece",
)  # fmt: skip

LIVING_THINGS = {
    "pine": "tree", "oak": "tree", "rose": "flower", "daisy": "flower",
    "robin": "bird", "canary": "bird", "sunfish": "fish", "salmon": "fish",
}  # fmt: skip
_OF_ALL = {"ISA": "living-thing", "can": "grow", "is": "living"}
_OF_KINDS: dict[str, dict[str, str]] = {
    "plant": {"ISA": "plant", "has": "roots"},
    "animal": {"ISA": "animal", "can": "move", "has": "skin"},
    "tree": {"ISA": "tree", "is": "big", "has": "bark branches"},
    "flower": {"ISA": "flower", "is": "pretty", "has": "petals"},
    "bird": {"ISA": "bird", "can": "fly", "has": "wings feathers"},
    "fish": {"ISA": "fish", "can": "swim", "has": "gills scales"},
}
_OF_ONE: dict[str, dict[str, str]] = {
    "pine": {"is": "green"},
    "oak": {"has": "leaves"},
    "rose": {"is": "red", "has": "leaves"},
    "daisy": {"is": "yellow", "has": "leaves"},
    "robin": {"is": "red"},
    "canary": {"is": "yellow", "can": "sing"},
    "sunfish": {"is": "yellow"},
    "salmon": {"is": "red"},
}
KINGDOMS = {"tree": "plant", "flower": "plant", "bird": "animal", "fish": "animal"}


def relatives(person: int) -> dict[str, set[int]]:
    """Return who stands in which relation to a person of a family, by number from 0."""
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


def family_trees() -> list[Fact]:
    """Return the 112 facts, answers to 104 questions of the form (person, relation)."""
    facts = []
    for family in FAMILIES:
        names = family.split()
        for person, name in enumerate(names):
            held = relatives(person)
            for relation in KINSHIP:
                facts += [(name, relation, names[p]) for p in sorted(held.get(relation, ()))]
    return facts


def living_things() -> list[Fact]:
    """Return what is known of eight plants and animals by four relations."""
    facts = []
    for item, kind in LIVING_THINGS.items():
        for relation in ("ISA", "is", "can", "has"):
            sources = (_OF_ALL, _OF_KINDS[KINGDOMS[kind]], _OF_KINDS[kind], _OF_ONE[item])
            known = [word for held in sources for word in held.get(relation, "").split()]
            if relation == "ISA":
                known.append(item)
            facts += [(item, relation, word) for word in known]
    return facts


BUILT_IN = {"family-trees": (family_trees, 4), "living-things": (living_things, 0)}
"""The facts, and how many questions are held out."""
