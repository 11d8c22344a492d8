"""Where Kubeflow Pipelines answers, and as whom it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from components.common.errors import BadInputError

_GRPC_PORT = 8080


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """What the options `--host`, `--namespace` and `--token-file` say.

    Attributes:
        url: Address of Kubeflow's dashboard or of the API server, `http://` or `https://`.
        namespace: The user's namespace where Kubeflow has several users; None where it has one.
        token_file: File that holds a bearer token, or None. It is read anew for each request, so that one
            which is renewed while a run is watched is taken.
    """

    url: str
    namespace: str | None = None
    token_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address, and passwords in it: addresses are printed."""
        parts = _split(self.url)
        if parts is None or parts.scheme not in ("http", "https"):
            fix = "give it as http://localhost:8080 or https://kubeflow.example/pipeline"
            raise BadInputError("no address", where="option --host", fix=fix)
        if parts.username is not None or parts.query or parts.fragment:
            what = "takes neither user, password, query nor fragment"
            raise BadInputError(what, where="option --host", fix="give a token by --token-file")
        object.__setattr__(self, "url", self.url.rstrip("/"))

    def token(self) -> str | None:
        """Read the token.

        Raises:
            BadInputError: The file cannot be read, or holds anything but one token.
        """
        if self.token_file is None:
            return None
        where = "option --token-file"
        try:
            token = self.token_file.read_text(encoding="ascii").strip()
        except OSError as error:
            what = f"{self.token_file} cannot be read: {error.strerror}"
            raise BadInputError(what, where=where) from error
        except UnicodeDecodeError as error:
            raise BadInputError(f"{self.token_file} holds no token", where=where) from error
        if not token or not token.isprintable() or " " in token:
            fix = "write the token alone into it"
            raise BadInputError(f"{self.token_file} does not hold one token", where=where, fix=fix)
        return token

    def run_page(self, run_id: str) -> str:
        """Return the address of a run's page in the dashboard."""
        return f"{self.url}/#/runs/details/{run_id}"

    def options(self) -> list[str]:
        """Return the options that say the same, for commands that are shown."""
        found = ["--host", self.url]
        if self.namespace is not None:
            found += ["--namespace", self.namespace]
        if self.token_file is not None:
            found += ["--token-file", str(self.token_file)]
        return found


def read_address(text: str) -> tuple[str, int]:
    """Read `HOST[:PORT]` of a gRPC service; the port is 8080 when it is not said.

    Raises:
        BadInputError: It has another form.
    """
    parts = _split(f"//{text}")
    if parts is None or parts.hostname is None or set(text) & set("/?#@"):
        fix = "give it as localhost:8080"
        raise BadInputError("must be HOST:PORT", where="option --metadata", value=text, fix=fix)
    return parts.hostname, parts.port or _GRPC_PORT


def _split(address: str) -> SplitResult | None:
    """Split an address; None where it is malformed, has no host, or a port that none can have."""
    try:
        parts = urlsplit(address)
        sound = parts.hostname and parts.port != 0 and address.isprintable() and " " not in address
    except ValueError:  # a bracket that is not closed, a port beyond 65535 or of letters
        return None
    return parts if sound else None
