"""The frame of all HTML reports, looked at in a browser."""

import pytest

from components.common.page import write_page
from tests.browser import open_browser, overflow_at

pytestmark = pytest.mark.system

TEMPLATE = """{% extends "page.html" %}
{% import "parts.html" as parts %}
{% block lead %}{{ parts.pill("blessed", true) }}{% endblock %}
{% block content %}
<section>{{ parts.facts([("rows", "336,776", "of the flights"), ("version", name, none)]) }}</section>
<section><div class="wide">
<table><tr>{% for n in range(40) %}<th>column_{{ n }}</th>{% endfor %}</tr></table></div>
{{ parts.bar(0.5) }}<pre>{{ name * 5 }}</pre></section>
{% endblock %}
"""
HOSTILE = '<script>document.title = "taken"</script><img src="http://192.0.2.1/x.png">' + "0" * 64


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def page(tmp_path, browser):
    (tmp_path / "report.html.jinja").write_text(TEMPLATE)
    write_page(tmp_path / "report.html", tmp_path / "report.html.jinja", title="A report", name=HOSTILE)
    browser.get((tmp_path / "report.html").as_uri())
    return browser


def test_values_are_shown_and_never_run(page):
    assert page.title == "A report"
    assert HOSTILE in page.find_element("css selector", "dl").text
    assert page.find_elements("css selector", "main script, main img") == []


def test_page_fetches_nothing_and_complains_of_nothing(page):
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [375, 768, 1280])
def test_page_fits_phone_tablet_and_desk(page, width):
    assert overflow_at(page, width) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page, scheme):
    """Contrast by WCAG 2.2, 1.4.3: at least 4.5 between text and what lies under it."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    for selector, under in (
        ("dd", "section"),
        ("dt", "section"),
        ("h1", "body"),
        (".pill", ".pill"),
        ("pre", "pre"),
    ):
        ink, paper = (
            page.find_element("css selector", found).value_of_css_property(colour)
            for found, colour in ((selector, "color"), (under, "background-color"))
        )
        assert contrast(ink, paper) >= 4.5, selector


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two CSS colours, as WCAG 2.2 defines it."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
