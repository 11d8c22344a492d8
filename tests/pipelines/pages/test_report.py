"""The page and the summary of a run say what happened, also when it ended early."""

import html
import re
from pathlib import Path

import pytest

from pipelines.ending import remedies, tell_ending
from pipelines.pages.report import write_report
from pipelines.request import Request
from pipelines.summary import interval_text, summarise


def test_the_summary_tells_the_parts_that_exist(record):
    summary = summarise(record["outputs"])
    assert dict(summary.lines) == {
        "data": "1,000 rows (train 800, eval 200), version abababababab",
        "data gate": "anomalous: column `x` is <all> empty",
    }
    assert summary.curl is None


def test_a_malformed_artifact_does_not_hide_the_rest(record):
    (Path(record["directory"]) / "s" / "snapshot.json").write_text("{")
    assert list(dict(summarise(record["outputs"]).lines)) == ["data gate"]


@pytest.mark.parametrize("terminal", ["0", "1"])
def test_the_summary_stands_in_a_column_of_its_own_in_a_terminal(record, terminal, monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    tell_ending({**record, "error": None}, Path("no report"), Request(pipeline="training"))
    words = ["1,000 rows (train 800, eval", "200), version abababababab"]
    told = f"  data       {f'{chr(10)}             '.join(words) if terminal == '1' else ' '.join(words)}\n"
    assert told in re.sub("\x1b[^m]*m", "", capsys.readouterr().out)


def test_a_target_that_serves_nothing_is_said(endpoint):
    summary = summarise({"deploy-model": {"endpoint": endpoint}})
    assert summary.lines == [("endpoint", "none: target is `none`")]
    assert summary.curl is None


def test_every_link_of_the_page_resolves_and_values_are_escaped(record):
    page = write_report(record, Path(record["directory"]))
    text = page.read_text()
    links = [part.split('"')[0] for part in text.split('href="')[1:]]
    assert set(links) == {"reports/data-validation.html", "logs/halt.log"}
    assert all((page.parent / link).exists() for link in links)
    assert "<all>" not in text
    assert "&lt;all&gt;" in text


def test_the_page_says_what_was_cached_failed_and_skipped(record):
    text = write_report(record, Path(record["directory"])).read_text()
    pills = [part.split("</span>")[0].rsplit(">", 1)[1] for part in text.split('class="pill')[1:]]
    assert pills == ["refused", "cached", "succeeded", "refused", "skipped"]


def section(page: Path, title: str) -> str:
    """The text of a section, without its markup."""
    text = page.read_text().split(f"<h2>{title}</h2>")[1].split("</section>")[0]
    return " ".join(re.sub("<[^>]+>", " ", text).split())


def test_a_refused_run_begins_with_the_reason_the_report_behind_it_and_what_to_do(record):
    advice = [("Repeat", "millrace run training --from r1")]
    page = write_report(record, Path(record["directory"]), advice=advice)
    told = section(page, "Why a gate refused")
    assert page.read_text().index("Why a gate refused") < page.read_text().index("What came of it")
    assert "anomalous: column `x` is &lt;all&gt; empty" in told
    assert "report of data-validation" in told
    assert "millrace run training --from r1" in told


def test_a_run_that_was_killed_before_any_task_has_a_page(record):
    killed = {**record, "state": "KILLED", "tasks": [], "outputs": {}, "seconds": 0.0, "error": "gone"}
    assert section(write_report(killed, Path(record["directory"])), "Why it failed") == "gone"


def test_a_report_whose_file_is_gone_is_no_link(record):
    Path(record["outputs"]["data-validation"]["report"]["uri"]).unlink()
    text = write_report(record, Path(record["directory"])).read_text()
    assert "reports/" not in text


def test_a_complete_run_shows_metrics_trials_origin_card_and_how_to_ask(complete):
    page = write_report(complete, Path(complete["directory"]))
    assert "mse 25 20 to 30 400 36" in section(
        page, "Metrics on the test split"
    )  # ours, constant, reference
    assert section(page, "Leaderboard").endswith(
        "1 1 24 32 16 2 0 26 64 – – 2 failed 128 – trial 2 ran out of memory reference, not deployable 36"
    )
    origin = section(page, "What the model was made from")
    steps = ["houses", "snapshot", "schema", "model, trial 1", "blessed", "endpoint houses"]
    assert [origin.index(step) for step in steps] == sorted(origin.index(step) for step in steps)
    assert "curl -s http://127.0.0.1:8080/v2/models/houses/infer" in section(page, "Call the model")
    assert "query: |-\n  SELECT *\n  FROM houses" in page.read_text()  # as it was written


def test_the_card_is_shown_without_pictures_links_and_foreign_markup(complete):
    text = write_report(complete, Path(complete["directory"])).read_text()
    card = text.split("<h2>Model card</h2>")[1].split("</section>")[0]
    assert "<h3>Intended use</h3>" in card
    assert "<td>north</td>" in card
    assert re.findall(r"<(img|a|script)\b", card) == []
    assert "&lt;script&gt;" in card


def test_the_graph_has_a_box_for_each_task_of_the_package_with_its_state(complete):
    run = section(write_report(complete, Path(complete["directory"])), "The run")
    assert "train-trials × 3 failed · 4.5 s" in run  # one of three
    assert "deploy-model succeeded · 1.5 s" in run
    assert "model-gate: not reached" in run
    assert "data-gate: succeeded" in run


def test_the_python_lines_ask_the_endpoint_what_the_golden_request_asks(complete, httpserver_url):
    url, asked = httpserver_url
    page = write_report(complete, Path(complete["directory"]))
    lines = html.unescape(
        page.read_text().split("<h3>From Python</h3>")[1].split("</pre>")[0].split(">", 1)[1]
    )
    exec(lines.replace("http://127.0.0.1:8080", url), {})  # noqa: S102 - our own page
    assert asked == [{"inputs": [{"name": "area", "datatype": "FP32", "shape": [1], "data": [80.5]}]}]


@pytest.mark.parametrize("broken", ["evaluation.json", "leaderboard.json", "model.json", "signature.json"])
def test_a_malformed_artifact_takes_its_part_of_the_page_alone(complete, broken):
    folder = Path(complete["directory"])
    for file in folder.rglob(broken):
        file.write_text("[")
    assert "<h2>The run</h2>" in write_report(complete, folder).read_text()


@pytest.mark.parametrize(
    ("state", "words"), [("SUCCEEDED", []), ("REFUSED", ["--from"]), ("FAILED", ["--resume", "--from"])]
)
def test_what_to_do_depends_on_how_the_run_ended(record, state, words):
    found = remedies({**record, "state": state}, Request(pipeline="training"))
    assert len(found) == len(words)
    assert all(word in command for word, (_, command) in zip(words, found, strict=True))


def test_large_metrics_are_told_without_decimals():
    assert interval_text({"value": 1790437140.46, "low": 1.2e9, "high": 2.4e9}) == (
        "1,790,437,140 [1,200,000,000, 2,400,000,000]"
    )
    assert interval_text({"value": -0.79781, "low": -0.8, "high": 0.0}) == "-0.7978 [-0.8000, 0.0000]"
