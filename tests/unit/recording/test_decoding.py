"""A body as it was sent, made into what it stands for."""

import gzip
import zlib

import pytest

from reconcile.recording.decoding import LONGEST, Decoder

TEXT = b"what the body stands for, " * 400

SENT = {
    "": TEXT,
    "identity": TEXT,
    "gzip": gzip.compress(TEXT),
    "GZIP ": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
}


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("encoding", SENT)
def test_a_body_is_decoded_part_by_part(encoding, size):
    decoder, sent = Decoder(encoding), SENT[encoding]
    parts = (sent[start : start + size] for start in range(0, len(sent), size))
    found = b"".join(piece for part in parts for piece in decoder.read(part)) + decoder.rest()
    assert (found, decoder.lost) == (TEXT, False)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "gzip"])
def test_what_cannot_be_decoded_is_lost_and_says_nothing(encoding):
    decoder = Decoder(encoding)
    assert (list(decoder.read(TEXT)), list(decoder.read(TEXT)), decoder.rest()) == ([], [], b"")
    assert decoder.lost


def test_a_small_part_that_stands_for_a_huge_one_comes_in_pieces():
    pieces = list(Decoder("gzip").read(gzip.compress(bytes(5 * LONGEST))))
    assert (max(map(len, pieces)), sum(map(len, pieces))) == (LONGEST, 5 * LONGEST)
