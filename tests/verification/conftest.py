"""The fixture of the verification cases."""

from __future__ import annotations

import pytest
from published import Validate


@pytest.fixture(scope="session")
def validate() -> Validate:
    """Compare with published numbers; see ``Validate``."""
    return Validate()
