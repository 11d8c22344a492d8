"""The page of a run, looked at in a browser."""

from pathlib import Path

import pytest

from pipelines.report import write_report
from tests.browser import open_browser, overflow_at

pytestmark = pytest.mark.system


def test_it_fits_a_phone_fetches_nothing_and_its_report_opens(record, tmp_path):
    page = write_report(record, Path(record["directory"]))
    with open_browser(tmp_path / "profile") as browser:
        browser.get(page.as_uri())
        assert overflow_at(browser, 380) <= 0
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert browser.get_log("browser") == []
        browser.find_element("link text", "data-validation").click()
        assert browser.title == "checked"  # shown as a page, not as its source
