"""What tests that look at pages share."""

import pytest
from support.browser import browser


@pytest.fixture(scope="package")
def chromium():
    """One for all pages, and closed behind them: its driver keeps an event loop running in this thread."""
    with browser() as found:
        yield found
