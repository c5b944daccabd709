"""How every bad input is answered: by one sentence that says what was got, what is needed, what to use."""

import pytest

from medtut.errors import BadInput


def refused_in_one_sentence(call, needle: str) -> None:
    """`call()` raises BadInput, whose message holds the pattern `needle` and is such a sentence."""
    with pytest.raises(BadInput, match=needle) as caught:
        call()
    text = str(caught.value)
    assert text.startswith("got")
    assert "need" in text
    assert "; use" in text
    assert "\n" not in text
    assert text.count(". ") == 0
