"""The pages of runs, looked at in a browser."""

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from pipelines.pages.index import write_index
from pipelines.pages.report import write_report
from tests.browser import open_browser, overflow_at

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(params=["refused", "complete", "index"])
def page(request, record, complete):
    for one in (record, complete):
        (Path(one["directory"]) / "run.json").write_text(json.dumps(one))
    pages = {
        "refused": write_report(record, Path(record["directory"]), advice=[("Repeat", "millrace " * 60)]),
        "complete": write_report(complete, Path(complete["directory"])),
    }
    return pages.get(request.param) or write_index(Path(record["directory"]).parents[1])


@pytest.mark.parametrize("width", [380, 768, 1280])
def test_it_fits_the_screen(browser, page, width):
    browser.get(page.as_uri())
    assert overflow_at(browser, width) <= 0


def test_it_fetches_nothing_and_complains_of_nothing(browser, page):
    browser.get(page.as_uri())
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert (
        browser.execute_script("return document.querySelectorAll('script, img, link, iframe').length") == 0
    )
    assert browser.get_log("browser") == []


def test_every_link_leads_to_a_file_beside_it(browser, page):
    browser.get(page.as_uri())
    links = [link.get_attribute("href") for link in browser.find_elements(By.TAG_NAME, "a")]
    assert all(link.startswith(page.parent.as_uri()) for link in links)
    assert all(Path(link.removeprefix("file://")).is_file() for link in links)


def test_a_report_opens_as_a_page(browser, record):
    browser.get(write_report(record, Path(record["directory"])).as_uri())
    browser.find_element("link text", "data-validation").click()
    assert browser.title == "checked"  # not as its source


def test_it_prints_in_full_on_white(browser, complete):
    """On paper nothing scrolls, so nothing may be cut off; A4 is 794 pixels wide."""
    browser.get(write_report(complete, Path(complete["directory"])).as_uri())
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert overflow_at(browser, 794) <= 0
        inner = "[...document.querySelectorAll('.wide, pre')]"
        assert (
            browser.execute_script(f"return {inner}.filter(e => e.scrollWidth > e.clientWidth + 1)") == []
        )
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_boxes_of_the_graph_can_be_read(browser, complete, scheme):
    """Contrast by WCAG 2.2, 1.4.3: at least 4.5 between a box's title and its ground."""
    browser.get(write_report(complete, Path(complete["directory"])).as_uri())
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    colours = browser.execute_script(
        "return [...document.querySelectorAll('.graph g')].map(g => ['text', 'rect'].map("
        "name => getComputedStyle(g.querySelector(name)).fill))"
    )
    assert colours
    for text, ground in colours:
        assert contrast(text, ground) >= 4.5


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
