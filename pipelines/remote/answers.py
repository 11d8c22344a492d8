"""What Kubeflow answers when it does not do what it was asked, in words that help."""

from __future__ import annotations

import json
from typing import Any

from components.common.errors import BadInputError, ComponentError, UnavailableError
from pipelines.remote.host import Host

_LONGEST = 400  # characters of what a server says
_AGAIN = (408, 425, 429)
_NO_ANSWER = {
    "NewConnectionError": "nothing answers there",
    "NameResolutionError": "the name of the host is not known",
    "ConnectTimeoutError": "nothing answered in time",
    "ReadTimeoutError": "no answer came in time",
    "ProtocolError": "the connection broke off",
}


class RejectedError(BadInputError):
    """The API refused.

    Attributes:
        status: The answer's HTTP status.
    """

    status = 400


def refusal(error: Any, host: Host, doing: str) -> ComponentError:
    """Return the error that an answer with a status of 400 or more means.

    Args:
        error: `kfp_server_api.ApiException`.
        host: Who answered.
        doing: What was asked for, in words.
    """
    status, said = int(error.status or 0), _said(error, host)
    if status == 0:
        return no_answer(error, host, doing)
    what = f"{doing}: {said}"
    if status == 401:
        what = f"{doing}: Kubeflow does not know who is asking"
        return BadInputError(what, where=host.url, fix=_token_fix(host))
    if status == 403:
        place = f"in namespace `{host.namespace}`" if host.namespace else "there; name yours by --namespace"
        fix = f"ask its administrator for the right to do this {place}"
        return BadInputError(f"not allowed: {what}", where=host.url, fix=fix)
    if status >= 500 or status in _AGAIN:
        return UnavailableError(f"{what} (HTTP {status})", where=host.url, fix="try again later")
    rejected = RejectedError(f"{what} (HTTP {status})", where=host.url)
    rejected.status = status
    return rejected


def no_answer(error: BaseException, host: Host, doing: str) -> UnavailableError:
    """Return the error that a connection which failed means."""
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error
    names = (type(inner).__name__, *str(reason).split())
    if "SSLError" in names:
        return _no_tls(str(reason or error), host, doing)
    known = [text for name, text in _NO_ANSWER.items() if name in names]
    said = known[0] if known else _line(f"{type(inner).__name__}: {inner}", host)
    fix = "is the address right, and a `kubectl port-forward` to it still up?"
    return UnavailableError(f"{doing}: {said}", where=host.url, fix=fix)


def _no_tls(said: str, host: Host, doing: str) -> UnavailableError:
    if "WRONG_VERSION" in said.upper().replace(" ", "_"):
        what, fix = "it does not speak TLS", f"--host http://{host.url.partition('://')[2]}"
        return UnavailableError(f"{doing}: {what}", where=host.url, fix=fix)
    fix = "name the file with the certificates of its authority by the environment variable SSL_CERT_FILE"
    inside = said.rpartition("(")[2].strip("') ") if "CERTIFICATE_VERIFY_FAILED" not in said else ""
    what = "its certificate cannot be verified" + (f" ({_line(inside, host)})" if inside else "")
    return UnavailableError(f"{doing}: {what}", where=host.url, fix=fix)


def not_the_api(host: Host, doing: str) -> BadInputError:
    """Return the error that a page of HTML means, where the API was asked."""
    fix = "give --token-file, or the address that ends with /pipeline"
    if host.token_file:
        fix = _token_fix(host)
    what = f"{doing}: a page was answered, such as one to sign in, and not the API of Kubeflow Pipelines"
    return BadInputError(what, where=host.url, fix=fix)


def _token_fix(host: Host) -> str:
    if host.token_file is None:
        return "give a token by --token-file"
    return f"the token in {host.token_file} has expired or is not for this host: write a new one into it"


def _said(error: Any, host: Host) -> str:
    """Return the words of an answer: KFP's JSON has them under several names, proxies answer with HTML."""
    body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else error.body or ""
    try:
        content = json.loads(body)
    except ValueError:
        content = None if "<html" in body.lower() else body
    if isinstance(content, dict):
        keys = ("message", "error_message", "error")
        content = next((content[key] for key in keys if content.get(key)), None)
    return _line(str(content or error.reason or "refused"), host)


def _line(text: str, host: Host) -> str:
    """Return one short line; a server may send back what it was sent, so the token is taken out."""
    line = " ".join(text.split())
    try:
        token = host.token()
    except BadInputError:
        token = None
    if token:
        line = line.replace(token, "***")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
