import pytest

from components.common.errors import BadInputError


def validate(workshop, sql, **options):
    checks = sql if isinstance(sql, dict) else {"as it should be": sql}
    return workshop.validate(workshop.write(workshop.splits()), checks=checks, **options)


def failed(workshop, sql, **options):
    [pair] = [
        p for p in validate(workshop, sql, **options).validation.findings if p[0].rule == "check_failed"
    ]
    return pair[0]


def test_a_check_that_counts_nothing_holds(workshop):
    outcome = validate(workshop, "select count(*) from examples where distance < 0")
    assert outcome.verdict.reasons == []


def test_a_check_that_fails_tells_its_name_its_number_and_a_row(workshop):
    wrong = sum(v > 300 for columns in workshop.splits().values() for v in columns["seats"])
    finding = failed(workshop, {"no plane seats 300": "SELECT count(*) FROM examples WHERE seats > 300"})
    assert (finding.value, finding.threshold) == (wrong, 0)
    assert finding.message == f"“no plane seats 300” does not hold: {wrong} found"
    assert finding.example.startswith("examples: seats=3")


def test_every_split_is_a_table(workshop):
    for split in ("train", "eval", "test"):
        assert failed(workshop, f"FROM {split} SELECT count(*)").value == workshop.rows[split]


@pytest.mark.parametrize("sql", ["SELECT 2.5", "SELECT sum(seats) FROM train", "SELECT true"])
def test_any_number_but_zero_fails_and_shows_no_row(workshop, sql):
    finding = failed(workshop, sql)
    assert finding.value
    assert finding.example is None


def test_a_check_has_a_severity_of_its_own(workshop):
    sql = "SELECT count(*) FROM train"
    checks = {"a": {"sql": sql, "severity": "warning"}, "b": {"sql": sql, "severity": "off"}}
    outcome = validate(workshop, checks)
    assert outcome.verdict.reasons == ["“a” does not hold: 400 found"]
    assert outcome.verdict.passed


BROKEN = {
    "selec": "Parser Error",
    "SELECT count(*) FROM train WHERE wrong = 1": 'Referenced column "wrong" not found',
    "SELECT carrier FROM train": "does not give one number",
    "SELECT NULL": "does not give one number",
    "SELECT 'nan'::DOUBLE": "does not give one number",
    "SELECT 0; SELECT 0": "not one SELECT",
    "DROP VIEW train": "not one SELECT",
    "COPY train TO '/tmp/stolen.csv'": "not one SELECT",
    "SET threads = 1": "not one SELECT",
    "SELECT count(*) FROM read_text('/etc/hostname')": "file system operations are disabled",
    "SELECT count(*) FROM read_csv('https://127.0.0.1/x.csv')": "file system operations are disabled",
    "SELECT count(*) FROM glob('/*')": "file system operations are disabled",
}


@pytest.mark.parametrize(("sql", "message"), BROKEN.items())
def test_a_check_that_is_no_count_or_reaches_out_is_the_callers_mistake(workshop, sql, message):
    with pytest.raises(BadInputError, match=message) as caught:
        validate(workshop, sql)
    assert "check `as it should be`" in str(caught.value)
