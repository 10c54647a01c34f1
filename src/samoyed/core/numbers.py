"""The kinds of numbers that dials are, with the bounds beyond which `--set` refuses them."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MinLen

MOST = 1 << 14
"""Of units, layers, passes: more of anything is a slip of the hand."""

MANY = 1 << 31
"""Of what is only counted, or kept on demand: moves, symbols, seeds."""

Count = Annotated[int, Gt(0), Le(MOST)]
CountOrNone = Annotated[int, Ge(0), Le(MOST)]
LargeCount = Annotated[int, Gt(0), Le(MANY)]
LargeCountOrNone = Annotated[int, Ge(0), Le(MANY)]
Seed = Annotated[int, Ge(0), Le(MANY)]
Sizes = Annotated[tuple[Count, ...], MinLen(1)]
Share = Annotated[float, Ge(0), Lt(1)]
Chance = Annotated[float, Ge(0), Le(1)]
Positive = Annotated[float, Gt(0), Lt(math.inf)]
Weight = Annotated[float, Ge(0), Lt(math.inf)]
"""How much something counts, from nothing on."""

Passes = Annotated[float, Ge(0), Le(1e6)]
"""Through the training data, as `--epochs` allows them; 0 leaves them out."""
