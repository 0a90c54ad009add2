"""What one pass reads in all: the smallest files come first, and each over the bound is a finding."""

from dataclasses import dataclass

import pytest

from reconcile.runs.census import affordable, over_the_total


@dataclass(frozen=True)
class File:
    path: str
    size: int | None


@pytest.mark.parametrize(
    ("sizes", "most", "kept"),
    [
        pytest.param([3, 1, 2], 6, [0, 1, 2], id="all, in their order"),
        pytest.param([3, 1, 2], 5, [1, 2], id="without the largest"),
        pytest.param([9, 9, 1], 8, [2], id="none of the large ones"),
        pytest.param([2, 2, 2], 4, [0, 1], id="of equal ones the first by name"),
        pytest.param([None, 1], 1, [0, 1], id="what has no size takes nothing"),
    ],
)
def test_affordable__leaves_out_the_largest(sizes, most, kept):
    files = [File(f"f{place}", size) for place, size in enumerate(sizes)]
    inside, over = affordable(files, most)
    assert inside == [files[place] for place in kept]
    assert sorted([*inside, *over], key=lambda file: file.path) == files


def test_over_the_total__says_both_numbers_and_what_to_do():
    finding = over_the_total("runs/a/b/calls.ndjson", 60_000_000, 256_000_000)
    assert "60000000 bytes" in finding.message
    assert "256000000" in finding.message
    assert "keep logs and outputs elsewhere" in finding.message
