"""A file through an endpoint, or a model's folder: batches of rows in, predictions beside the rows out."""

from __future__ import annotations

import http.client
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.common.encoding import InputError
from components.common.errors import BadInputError, UnavailableError
from components.common.names import check_model_name
from pipelines.local.serving.tables import Batch, read_batches, typed_cells, write_batches

_TIMEOUT_SECONDS = 120.0


Ask = Callable[[dict[str, list[Any]], Sequence[int]], Mapping[str, Sequence[Any]]]


def predict_file(url: str, name: str, file: Path, out: Path) -> int:
    """Predict every row of a table, by requests as users send them, and write the table with the answers.

    Columns that the model does not take are left out of the requests and stand in the result. An output of
    one number a row becomes the column of its name; of several, `OUTPUT_CLASS` for each class.

    Args:
        url: Address of the data port, such as `http://127.0.0.1:8080`.
        name: Model name.
        file: `.csv` or `.parquet`.
        out: `.csv` or `.parquet`; it appears when all rows are predicted.

    Returns:
        The number of rows.

    Raises:
        BadInputError: No such model, the table cannot be read or lacks an input, or a row is not what the
            model takes: its line is named, and nothing is written.
        UnavailableError: The endpoint does not answer.
    """
    with _Connection(url) as connection:
        model = connection.ask(f"/v2/models/{check_model_name(name)}")

        def ask(inputs: dict[str, list[Any]], lines: Sequence[int]) -> Mapping[str, Sequence[Any]]:
            tensors = [
                {
                    "name": entry["name"], "datatype": entry["datatype"], "shape": [len(lines)],
                    "data": inputs[entry["name"]],
                }
                for entry in model["inputs"] if entry["name"] in inputs
            ]  # fmt: skip
            answer = connection.ask(f"/v2/models/{model['name']}/infer", {"inputs": tensors}, lines=lines)
            return _columns(answer["outputs"], model["outputs"])

        return write_batches(out, _predicted(ask, model, file))


def predict_by_model(folder: Path, file: Path, out: Path) -> int:
    """Predict every row of a table in this process, by a complete model's folder and without a server.

    Args:
        folder: The model; its proven twin computes, or else TensorFlow.
        file: As for `predict_file`.
        out: Likewise.

    Returns:
        The number of rows.

    Raises:
        BadInputError: The folder is no complete model; else as `predict_file`.
        RefusedError: The model does not answer its golden requests as recorded.
        UnavailableError: The model has no answer to a row, or none that is a finite number.
    """
    from components.serving.predictor import Predictor  # not for the clients of a server

    with Predictor(folder) as model:

        def ask(inputs: dict[str, list[Any]], lines: Sequence[int]) -> Mapping[str, Sequence[Any]]:
            try:
                found = model.answer(inputs)
            except InputError as error:
                where = None if error.row is None else f"line {lines[error.row]}"
                raise BadInputError(f"the model refuses: {error}", where=where) from error
            except UnavailableError as error:
                raise UnavailableError(str(error), where=_span(lines)) from error
            outputs = [
                # the shortest digits that are this float32, as JSON has them
                {"name": name, "shape": values.shape, "data": [*map(float, values.ravel().astype(str))]}
                for name, values in found.items()
            ]
            return _columns(outputs, model.described["outputs"])

        return write_batches(out, _predicted(ask, model.described, file))


class _Connection:
    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._url = url
        self._http = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS
        )

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, path: str, body: object = None, *, lines: Sequence[int] = ()) -> dict[str, Any]:
        """Return the answer; `lines` are where the rows of the request stand."""
        try:
            content = None if body is None else json.dumps(body).encode()
            self._http.request("GET" if body is None else "POST", path, content)
            response = self._http.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnavailableError("the endpoint does not answer", where=self._url + path) from error
        if response.status >= 500:
            what = f"the endpoint answers {response.status}: {answer.get('error')}"
            raise UnavailableError(what, where=_span(lines))
        if response.status != 200:
            place = answer.get("row")
            where = f"line {lines[place]}" if isinstance(place, int) and place < len(lines) else None
            raise BadInputError(f"the endpoint refuses: {answer.get('error')}", where=where)
        return answer


def _predicted(
    ask: Ask, model: Mapping[str, Any], file: Path
) -> Iterator[Mapping[str, Sequence[Any]]]:  # fmt: skip
    for batch in read_batches(file):
        predictions = ask(_inputs(batch, model["inputs"], file), batch.lines)
        if taken := sorted(predictions.keys() & batch.columns.keys()):
            fix = "rename it in the table"
            raise BadInputError("a column has the name of an output", where=file, value=taken[0], fix=fix)
        yield {**batch.columns, **predictions}


def _inputs(batch: Batch, wanted: Sequence[Mapping[str, Any]], file: Path) -> dict[str, list[Any]]:
    absent = [
        entry["name"]
        for entry in wanted
        if entry["name"] not in batch.columns and not entry["parameters"]["optional"]
    ]
    if absent:
        raise BadInputError(f"the model needs the columns {', '.join(absent)}", where=file)
    present = [entry for entry in wanted if entry["name"] in batch.columns]
    return {
        entry["name"]: [
            _without_nan(value) for value in typed_cells(batch, entry["name"], entry["parameters"]["kind"])
        ]
        for entry in present
    }


def _span(lines: Sequence[int]) -> str | None:
    return f"lines {lines[0]} to {lines[-1]}" if lines else None


def _without_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _columns(
    outputs: Sequence[Mapping[str, Any]], described: Sequence[Mapping[str, Any]]
) -> dict[str, list[Any]]:
    classes = {entry["name"]: entry.get("parameters", {}).get("classes", ()) for entry in described}
    found: dict[str, list[Any]] = {}
    for output in outputs:
        name, data = output["name"], output["data"]
        if len(output["shape"]) == 1:
            found[name] = data
            continue
        width = output["shape"][1]
        for place, label in enumerate(classes[name]):
            found[f"{name}_{label}"] = data[place::width]
    return found
