"""What differs from run to run is refused; columns that are called like it are not."""

import pytest

from components.common.errors import BadInputError


@pytest.fixture
def people(write):
    return {"people": write("people.csv", "id,random,current_date\n1,4,2020-01-01\n2,5,2020-01-02\n")}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("SELECT *, random() AS r FROM people", "random"),
        ("SELECT *, UUID() AS r FROM people", "uuid"),
        ("SELECT *, now() AS r FROM people", "now"),
        ("SELECT *, today() AS r FROM people", "today"),
        ("SELECT *, current_timestamp AS r FROM people", "current_timestamp"),
        ("SELECT *, LocalTime AS r FROM people", "localtime"),
        ("SELECT id, ago(INTERVAL 1 DAY) AS r FROM people", "ago"),
        ("SELECT id, age(TIMESTAMP '2020-01-01')::VARCHAR AS r FROM people", "current_date"),
        ("FROM people ORDER BY random() LIMIT 1", "random"),
        ("WITH x AS (SELECT id, gen_random_uuid() AS u FROM people) SELECT * FROM x", "gen_random_uuid"),
        ("SELECT id FROM people WHERE id IN (SELECT 1 + (random() > 2)::INT)", "random"),
        ("FROM query('SELECT random() AS r')", "query"),
    ],
)
def test_what_differs_from_run_to_run_is_refused_by_name(query, name, run, people):
    message = f"`{name}` gives other values from run to run — parameter `query` — compute it outside"
    with pytest.raises(BadInputError, match=message):
        run(people, query)


def test_a_sample_is_refused_with_the_way_that_stays_the_same(run, people):
    with pytest.raises(BadInputError, match=r"a sample differs .* `WHERE hash\(id\) % 10 = 0`"):
        run(people, "SELECT * FROM people USING SAMPLE 50%")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, random, current_date FROM people",
        'SELECT id, people.random, "current_date" FROM people',
        "SELECT id, localtime FROM (SELECT id, 3 AS localtime FROM people)",
        "SELECT id, 'now()' AS words FROM people -- random()",
        "SELECT id, hash(id) % 10 AS part FROM people WHERE hash(id) % 10 >= 0",
        "SELECT id, age(DATE '2020-01-02', DATE '2020-01-01')::VARCHAR AS a FROM people",
        "SELECT CASE WHEN id > 9 THEN error('too large') ELSE id END AS id FROM people",
        "SELECT id, row_number() OVER (ORDER BY id) AS n, any_value(id) OVER () AS a FROM people",
    ],
)
def test_a_column_or_a_text_called_like_it_is_not_refused(query, run, people):
    assert len(run(people, query).rows()) == 2
