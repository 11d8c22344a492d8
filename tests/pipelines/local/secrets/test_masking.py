"""Values are hidden in streams, wherever they are cut; the oracle marks each covered byte of the whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local.secrets.masking import Mask, MaskedStream

bits = st.binary(min_size=1, max_size=4).map(lambda raw: bytes(b"ab"[byte % 2] for byte in raw))


def marked(values, whole: bytes) -> bytes:
    """Hide each run of overlapping values of a whole text."""
    covered, begins = [False] * len(whole), [False] * len(whole)
    for at in range(len(whole)):
        for value in values:
            if whole.startswith(value, at):
                begins[at] = begins[at] or not covered[at]
                covered[at : at + len(value)] = [True] * len(value)
    pieces = zip(whole, covered, begins, strict=True)
    return b"".join(b"***" if new else b"" if hidden else bytes([byte]) for byte, hidden, new in pieces)


@settings(max_examples=300, deadline=None)
@given(st.lists(bits, max_size=3), st.lists(bits, max_size=12))
def test_stream_is_masked_as_its_whole_is_however_it_is_cut(values, pieces):
    stream = MaskedStream(Mask(values))
    shown = b"".join(stream.feed(piece) for piece in pieces) + stream.end()
    assert shown == marked(values, b"".join(pieces))


def test_what_cannot_be_a_value_is_shown_at_once():
    stream = MaskedStream(Mask([b"hunter2"]))
    assert stream.feed(b"a line\npassword hun") == b"a line\npassword "
    assert stream.feed(b"ter2!\n") == b"***!\n"
    assert stream.feed(b"hunter") == b""
    assert stream.end() == b"hunter"


def test_message_is_masked():
    assert Mask([b"hunter2", b""]).text("got 'hunter2' and é") == "got '***' and é"
