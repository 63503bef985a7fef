"""Shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of reference data beside the checkout (or TWIN_SHARED_DATA); the test is skipped without it."""
    folder = Path(os.environ.get("TWIN_SHARED_DATA") or Path(__file__).parents[1].parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    return folder
