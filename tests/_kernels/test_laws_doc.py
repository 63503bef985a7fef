"""The examples in the documentation of the laws hold."""

import doctest

from twin._kernels import laws


def test_examples_of_every_law() -> None:
    outcome = doctest.testmod(laws)
    assert outcome.attempted >= 9
    assert outcome.failed == 0
