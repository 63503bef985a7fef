"""Counter-based draws: published answers, statistics, independence of streams, purity."""

import doctest

import numpy as np
import pytest
from scipy import stats

from twin._kernels import draws

N = 40_000


@pytest.mark.parametrize(("counter", "key", "words"), [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
])
def test_philox_gives_the_published_answers(counter, key, words):
    """Source: known-answer vectors of the Random123 distribution, philox4x32 10 rounds."""
    assert draws.philox4x32(counter, key) == words


@pytest.mark.parametrize("name,cdf", [
    ("uniform", stats.uniform.cdf), ("exponential", stats.expon.cdf), ("normal", stats.norm.cdf),
])
def test_distributions(name, cdf):
    sample = getattr(draws, f"{name}_array")(7, draws.stream_id("test"), 3, N)
    assert stats.kstest(sample, cdf).pvalue > 1e-3
    over_ticks = [getattr(draws, name)(7, 1, t, 5) for t in range(5000)]
    assert stats.kstest(over_ticks, cdf).pvalue > 1e-3


def test_uniform_stays_in_its_range():
    sample = draws.uniform_array(1, 1, 0, N)
    assert sample.min() >= 0.0
    assert sample.max() < 1.0


def test_arguments_are_independent_axes():
    base = draws.uniform_array(1, 1, 1, N)
    for other in ((2, 1, 1), (1 + 2**32, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 1 + 2**32)):
        assert abs(np.corrcoef(base, draws.uniform_array(*other, N))[0, 1]) < 5 / np.sqrt(N)
    assert abs(np.corrcoef(base[:-1], base[1:])[0, 1]) < 5 / np.sqrt(N)


def test_arrays_agree_with_single_draws():
    for name in ("uniform", "exponential", "normal"):
        row = getattr(draws, f"{name}_array")(9, 8, 7, 6)
        assert [getattr(draws, name)(9, 8, 7, i) for i in range(6)] == list(row)


def test_examples():
    outcome = doctest.testmod(draws)
    assert outcome.attempted >= 5
    assert outcome.failed == 0
