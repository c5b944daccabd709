"""A language of fourteen words for brain slices: "t2 high lesion left".

A sentence says at most one word of each column: contrast, height, finding, side. What is not said is null.
"""

import torch
from torch import Tensor

from .errors import BadInput

COLUMNS = (
    ("t1", "t2", "pd", "flair", "ct", "fdg"),
    ("low", "middle", "high"),
    ("healthy", "lesion"),
    ("left", "right", "both"),
)
WORDS = tuple(word for column in COLUMNS for word in column)


def tokens(sentence: str) -> Tensor:
    """Word numbers (4,), one for each column, -1 where the sentence says nothing. Float32, as labels are.

    Upper case, commas and the order do not matter. BadInput for an unknown word or two of one column.
    """
    found = torch.full((len(COLUMNS),), -1.0)
    for word in sentence.lower().replace(",", " ").split():
        if word not in WORDS:
            raise BadInput(f"{word!r} is not in the vocabulary: {', '.join(WORDS)}.")
        column = next(k for k, words in enumerate(COLUMNS) if word in words)
        if found[column] >= 0:
            raise BadInput(f"{word!r} and {WORDS[int(found[column])]!r} exclude each other; say one of them.")
        found[column] = WORDS.index(word)
    return found


def sentence(numbers: Tensor) -> str:
    """The words of (4,) numbers, in the order of the columns; "" if nothing is said."""
    return " ".join(WORDS[int(n)] for n in numbers if n >= 0)
