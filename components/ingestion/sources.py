"""What a user may write under `sources`: declarations, checked before anything is asked or recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from components.common.config import build_config, whole
from components.common.errors import BadInputError
from components.ingestion.config import is_strings

# For each scheme what its credentials may hold; `file` stands for paths too.
CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "file": (),
    "s3": ("key", "secret", "token"),
    "gs": ("token",),
    "http": ("bearer", "user", "password"),
    "https": ("bearer", "user", "password"),
    "postgresql": ("user", "password"),
    "sqlite": (),
}
DATABASES = ("postgresql", "sqlite")
AS_OF = re.compile(r"(?<![:\w]):as_of\b")
SPAN = re.compile(r"\{(YYYY|MM|DD|SPAN)\}")

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REFERENCE = re.compile(r"env:\w+|file:.+|secret:\w[\w.-]*/\w[\w.-]*")
_SECRETS = frozenset((
    "apikey", "auth", "authorization", "bearer", "code", "credential", "credentials", "jwt", "key", "pass",
    "passfile", "passphrase", "passwd", "password", "pwd", "secret", "sig", "signature", "sslpassword",
    "token",
))  # fmt: skip
_WORD_END = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_PIN = re.compile(r"#sha256=([0-9a-f]{64})$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One source; a bare uri, or a list of them, stands for a mapping with `uri` alone.

    Attributes:
        uri: One uri or several of one scheme.
        query: For a database: one SELECT that it runs; `:as_of` in it stands for `as_of`.
        as_of: For a database: a value that names the state that is read, such as a date. The same value
            promises the same rows; None reads the database each time.
        span: For a uri with `{YYYY}`, `{MM}`, `{DD}` or `{SPAN}`: the newest span to read, written
            `2013-06`, `2013-06-30` or `17`; None for the newest there is.
        window: For such a uri: how many spans to read, the newest last; None for all.
        credentials: References to what opens the source: `env:NAME`, `file:PATH`, `secret:NAME/KEY`.
    """

    uri: str | Sequence[str]
    query: str | None = None
    as_of: str | int | float | None = None
    span: str | int | None = None
    window: int | None = None
    credentials: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Reject what has no meaning together, naming the value; never a value that may be a secret."""
        if not self.uri or not (isinstance(self.uri, str) or (is_strings(self.uri) and all(self.uri))):
            raise ValueError(f"`uri` must be a uri or a list of uris, but got {self.uri=}.")
        if len(schemes := {split_scheme(uri)[0] for uri in self.uris}) > 1:
            raise ValueError(f"uris of one source must be of one scheme, but got {sorted(schemes)}.")
        if self.scheme not in CREDENTIALS:
            raise ValueError(f"scheme must be one of {', '.join(CREDENTIALS)}, but got {self.scheme!r}.")
        for uri in self.uris:
            check_uri(uri)
        self._check_database()
        self._check_spans()
        _check_credentials(self.credentials or {}, self.scheme)

    @property
    def uris(self) -> tuple[str, ...]:
        """All uris, in the order written."""
        return (self.uri,) if isinstance(self.uri, str) else tuple(self.uri)

    @property
    def scheme(self) -> str:
        """The scheme of its uris; `file` for a path, `sqlite` for a path that is queried."""
        scheme = split_scheme(self.uris[0])[0]
        return "sqlite" if scheme == "file" and self.query is not None else scheme

    def _check_database(self) -> None:
        if self.scheme not in DATABASES:
            for name in ("query", "as_of"):
                if getattr(self, name) is not None:
                    raise ValueError(f"`{name}` belongs to a database, but the scheme is {self.scheme!r}.")
            return
        if len(self.uris) > 1 or not isinstance(self.query, str) or not self.query.strip():
            raise ValueError(f"a database needs one `uri` and a `query`, but got {self.query=}.")
        if not _is_state(self.as_of):
            raise ValueError(f"`as_of` must be a string or a number, but got {self.as_of=}.")
        if (self.as_of is not None) != bool(AS_OF.search(self.query)):
            fix = "the query must use `:as_of`" if self.as_of is not None else "`as_of` must be given"
            raise ValueError(f"{fix}: they belong together, but got {self.as_of=}.")

    def _check_spans(self) -> None:
        spanned = all(SPAN.search(uri) for uri in self.uris)
        for name in ("span", "window"):
            if getattr(self, name) is not None and not spanned:
                raise ValueError(f"`{name}` needs {{YYYY}}, {{MM}}, {{DD}} or {{SPAN}} in the uri.")
        count = whole(self.window)
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise ValueError(f"`window` must be a whole number of at least 1, but got {self.window=}.")


def read_sources(sources: Mapping[str, Any]) -> dict[str, Source]:
    """Read the parameter `sources`.

    Args:
        sources: For each name a uri, a list of uris, or a mapping of `Source`'s fields.

    Returns:
        The declarations by name, sorted.

    Raises:
        BadInputError: There are none; a name is no SQL identifier or differs from another by case only; or
            a declaration is wrong. A secret in it is not repeated.
    """
    if not sources:
        fix = "name at least one, such as `sources: {table: data/table.csv}`"
        raise BadInputError("there are no sources", where="parameter `sources`", fix=fix)
    for name in sources:
        if not _IDENTIFIER.fullmatch(name):
            fix = "use letters, digits and underscores, no digit first: queries use the name"
            raise BadInputError("not a name for a source", where="parameter `sources`", value=name, fix=fix)
    if len({name.lower() for name in sources}) < len(sources):
        what = "names of sources must differ by more than case"
        raise BadInputError(what, where="parameter `sources`", value=sorted(sources))
    return {name: _read(name, sources[name]) for name in sorted(sources)}


def split_scheme(uri: str) -> tuple[str, str]:
    """Return a uri's scheme in lower case, `file` for a path, and what follows `://`."""
    match = _SCHEME.match(uri)
    if match is None:
        return "file", uri
    scheme = {"postgres": "postgresql", "gcs": "gs"}.get(match[1].lower(), match[1].lower())
    return scheme, uri[match.end() :]


def split_pin(uri: str) -> tuple[str, str | None]:
    """Return a uri without its `#sha256=…`, and those 64 digits or None."""
    match = _PIN.search(uri)
    return (uri, None) if match is None else (uri[: match.start()], match[1])


def check_uri(uri: str) -> None:
    """Refuse a uri that holds a secret, climbs out of its folder, or is not pinned although it must be.

    Raises:
        ValueError: It is so. The uri is shown only when nothing in it can be secret.
    """
    scheme, rest = split_scheme(uri)
    if scheme == "file":
        if re.search("#sha256=", split_pin(uri)[0], re.IGNORECASE):
            raise ValueError(f"`#sha256=` needs 64 digits, 0 to 9 and a to f, but got {uri!r}.")
        return
    try:
        parts = urlsplit(split_pin(uri)[0])
    except ValueError:  # what it says may repeat a secret
        raise ValueError("URI not allowed: its host is none; what was given is not shown.") from None
    user = parts.netloc.rpartition("@")[0]
    if (user and (scheme not in DATABASES or ":" in user)) or any(map(_is_secret, _keys(parts.query))):
        raise ValueError("a secret stands in the uri: take it out, and refer to it in `credentials`.")
    if scheme in ("http", "https", "s3", "gs"):
        _check_place(parts, scheme, uri)
    if ".." in unquote(unquote(parts.path)).split("/") or re.search(r"[\x00-\x20\\]", rest):
        raise ValueError(f"URI not allowed: it has `..`, a space or a backslash, but got {uri!r}.")
    if parts.fragment.lower().startswith("sha256="):
        raise ValueError(f"`#sha256=` needs 64 digits, 0 to 9 and a to f, but got {uri!r}.")
    if parts.fragment:
        raise ValueError(f"URI not allowed: only `#sha256=` may follow `#`, but got {uri!r}.")
    if scheme in ("http", "https") and split_pin(uri)[1] is None:
        raise ValueError(f"http(s) needs the digest of what it names, `#sha256=…`, but got {uri!r}.")


def _check_place(parts: SplitResult, scheme: str, uri: str) -> None:
    """Refuse what names no host, or no bucket."""
    try:
        named = bool(parts.hostname) and (scheme in ("s3", "gs") or parts.port != 0)
    except ValueError:
        named = False
    if not named or (scheme in ("s3", "gs") and re.search(r"[*?\[{]", uri.split("/")[2])):
        what = "bucket" if scheme in ("s3", "gs") else "host, or no port,"
        raise ValueError(f"URI not allowed: it names no {what} to ask, but got {uri!r}.")
    if scheme in ("http", "https") and not (parts.path + parts.query).isascii():
        raise ValueError(f"URI not allowed: write letters such as é as `%C3%A9`, but got {uri!r}.")


def _keys(query: str) -> list[str]:
    return [unquote(pair.partition("=")[0]) for pair in re.split("[&;]", query) if "=" in pair]


def _is_secret(key: str) -> bool:
    return any(word.lower() in _SECRETS for word in _WORD_END.split(key))


def _is_state(value: object) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and str(value) != "")


def _check_credentials(credentials: object, scheme: str) -> None:
    if not isinstance(credentials, Mapping):
        raise ValueError("`credentials` must map names to references, and does not.")
    for name, reference in credentials.items():
        if name not in CREDENTIALS[scheme]:
            known = ", ".join(CREDENTIALS[scheme]) or "none"
            raise ValueError(f"`credentials.{name}` has no meaning for {scheme!r}; known: {known}.")
        if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
            raise ValueError(
                f"`credentials.{name}` must be `env:NAME`, `file:PATH` or `secret:NAME/KEY`, "
                "never the secret itself; what was given is not shown."
            )


def _read(name: str, declared: object) -> Source:
    where = f"sources.{name}"
    if isinstance(declared, Mapping):
        return build_config(Source, {"uri": "", **declared}, where=where)
    if not isinstance(declared, (str, list)) or not declared:
        raise BadInputError("must be a uri, a list of uris or a mapping", where=where, value=declared)
    return build_config(Source, {"uri": declared}, where=where)
