"""What tests that look at pages share."""

import pytest
from support.browser import browser


@pytest.fixture(scope="session")
def chromium():
    """One for all pages: it takes seconds to start."""
    with browser() as found:
        yield found
