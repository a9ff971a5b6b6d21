"""What must be so in this lesson; ``groundup check 13`` proves it."""

import numpy as np

from groundup.data.dates import CHARACTERS, LONGEST, split_date_pairs
from groundup.lesson import Fact
from groundup.lessons.p13_attention_is_all_you_need.measure import Encoded, encoded
from groundup.lessons.p13_attention_is_all_you_need.model import decode, encode, init
from groundup.ops.types import Tree
from groundup.proof.instruments import leaks


def future_seen() -> float:
    """By how much a changed character of the target moves earlier logits, with sinusoids and with learned positions."""
    data = encoded(split_date_pairs(np.random.default_rng(0), 8, 0, 0).train)
    found = []
    for learned in (0, LONGEST):
        params = init(np.random.default_rng(1), len(CHARACTERS), width=16, hidden=32, layers=2, learned=learned)
        found.append(leak(params, data, heads=4))
    return max(found)


def leak(params: Tree, data: Encoded, heads: int, rows: int = 8) -> float:
    """By how much, at most, a changed character of the target moves the logits of places before it. It must be 0."""
    source, given = data.source[:rows], data.target[:rows, :-1]
    memory, _ = encode(params, source, heads)
    return float(leaks(lambda given: decode(params, given, memory, source, heads)[0], given).max())


FACTS = (
    Fact(
        "causal", "Changing a character of the target moves no logit at an earlier place, not by one bit", future_seen
    ),
)
