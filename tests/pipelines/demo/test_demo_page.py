"""The page of the demo, looked at in a browser."""

import pytest

from tests.browser import open_browser, overflow_at

pytestmark = pytest.mark.system


def test_it_fits_a_phone_and_a_desk_and_fetches_nothing(story, step, tmp_path):
    story.ended, story.sabotaged, story.kept = "done", step("REFUSED", "auc " * 60, "training"), True
    page = story.write(tmp_path)
    with open_browser(tmp_path / "profile") as browser:
        for width in (380, 1280):
            browser.get(page.as_uri())
            assert overflow_at(browser, width) <= 0
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert browser.get_log("browser") == []
