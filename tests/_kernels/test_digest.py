"""XXH64 against values published with the algorithm's libraries, and what a digest of a block must notice."""

import numpy as np
import pytest

from twin._kernels.digest import GroupDigest, xxh64


@pytest.mark.parametrize(("text", "expected"), [  # README and tests of the xxHash libraries
    (b"", "ef46db3751d8e999"), (b"a", "d24ec4f1a98c6e5b"), (b"abc", "44bc2cf5ad770999"),
    (b"Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
])
def test_published_values(text: bytes, expected: str) -> None:
    assert f"{xxh64(text):016x}" == expected


def test_a_seed_matters_as_published() -> None:
    assert xxh64(b"xxhash", 20141025) == 13067679811253438005  # README of python-xxhash


def test_groups_chain_their_columns() -> None:
    a, b, c = np.arange(7.0), np.arange(3, dtype=np.int32), np.zeros(0)
    out = np.zeros(2, dtype=np.uint64)
    GroupDigest([[a, b], [c]]).run(out)
    assert int(out[0]) == xxh64(b.tobytes(), xxh64(a.tobytes()))
    assert int(out[1]) == xxh64(b"")


@pytest.mark.parametrize("at", [0, 31, 32, 63, 64, 70])
def test_every_byte_counts(at: int) -> None:
    data = np.zeros(71, dtype=np.uint8)
    out, other = np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.uint64)
    digest = GroupDigest([[data]])
    digest.run(out)
    data[at] = 1
    digest.run(other)
    assert out[0] != other[0]
