"""Log lines as JSON, one object a line; what a client sent stands in none of them."""

from __future__ import annotations

import json
import logging
import time
from traceback import extract_tb
from typing import Any, TextIO

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname.lower(),
            "logger": record.name, "event": record.getMessage(),
        }  # fmt: skip
        line |= {key: value for key, value in vars(record).items() if key not in _OWN}
        if record.exc_info and (error := record.exc_info[1]) is not None:
            line["exception"] = type(error).__name__  # without its words, which may hold a value
            line["frames"] = [
                f"{at.filename}:{at.lineno} {at.name}" for at in extract_tb(error.__traceback__)
            ]
        return json.dumps(line, default=str, ensure_ascii=False)


def log_as_json(stream: TextIO) -> None:
    """Have everything that is logged in this process written to a stream as JSON."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
