"""Reads the part of CEL that KFP's compiler writes into an expression; no `eval`.

The grammar is that of https://github.com/google/cel-spec/blob/master/doc/langdef.md, less what the compiler
does not write: arithmetic, lists, maps, fields, artifacts and functions other than conversions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.common.errors import BadInputError

UNCLEAR = "condition is not what KFP can evaluate (its compiler leaves quotes and backslashes as they are)"
UNCLEAR_FIX = "compare with a parameter of the pipeline, or an output, in place of such a literal"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the condition."""

    value: Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input parameter of the task."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a conversion with its operands."""

    name: str
    operands: tuple[Expression, ...]


Expression = Literal | Parameter | Call


def parse_expression(text: str, where: str) -> Expression:
    """Parse a condition.

    Args:
        text: CEL as the compiler writes it, such as `int(inputs.parameter_values['n']) > 2`.
        where: The task, for the error.

    Raises:
        BadInputError: It is no CEL, or uses what the compiler does not write.
    """
    return _Parser(_tokens(text, where), text, where).whole()


def parameters_named(expression: Expression) -> set[str]:
    """Return the names of all parameters that an expression reads."""
    if isinstance(expression, Parameter):
        return {expression.name}
    operands = expression.operands if isinstance(expression, Call) else ()
    return {name for operand in operands for name in parameters_named(operand)}


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*")
    |(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>inputs\.parameter_values|[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||[=!<>]=|[<>!()\[\]-])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_CONVERSIONS = ("int", "double", "string")
_WORDS = {"true": True, "false": False, "null": None}


def _tokens(text: str, where: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None or found.lastgroup is None:
            raise _unclear(text, where)
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


def _unclear(text: str, where: str) -> BadInputError:
    return BadInputError(UNCLEAR, where=where, value=text, fix=UNCLEAR_FIX)


class _Parser:
    """Recursive descent, the loosest operator first: `||`, `&&`, comparison, `!` and `-`."""

    def __init__(self, tokens: list[tuple[str, str]], text: str, where: str) -> None:
        self._tokens, self._text, self._where = tokens, text, where
        self._at = 0

    def whole(self) -> Expression:
        found = self._either()
        if self._at < len(self._tokens):
            raise self._error()
        return found

    def _either(self) -> Expression:
        return self._chain("||", self._both)

    def _both(self) -> Expression:
        return self._chain("&&", self._comparison)

    def _chain(self, sign: str, inner: Callable[[], Expression]) -> Expression:
        found = inner()
        while self._take(sign):
            found = Call(sign, (found, inner()))
        return found

    def _comparison(self) -> Expression:
        found = self._unary()
        while sign := next((sign for sign in _COMPARISONS if self._take(sign)), None):
            found = Call(sign, (found, self._unary()))
        return found

    def _unary(self) -> Expression:
        if self._take("!"):
            return Call("!", (self._unary(),))
        if self._take("-"):
            return Call("-", (self._unary(),))
        return self._primary()

    def _primary(self) -> Expression:
        kind, text = self._next()
        if kind == "string":
            return Literal(_unquote(text, self._error))
        if kind == "number":
            return Literal(int(text) if text.isdigit() else float(text))
        if text in _WORDS:
            return Literal(_WORDS[text])
        if text == "inputs.parameter_values":
            return Parameter(self._key())
        if text in _CONVERSIONS:
            self._require("(")
        elif text != "(":
            raise self._error()
        found = self._either()
        self._require(")")
        return Call(text, (found,)) if text in _CONVERSIONS else found

    def _key(self) -> str:
        self._require("[")
        kind, text = self._next()
        if kind != "string":
            raise self._error()
        self._require("]")
        return _unquote(text, self._error)

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._error()
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _require(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error()

    def _error(self) -> BadInputError:
        return _unclear(self._text, self._where)


_ESCAPE = re.compile(
    r"\\(?:(?P<one>[abfnrtv\\?\"'`])|[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})"
    r"|U(?P<U>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<wrong>.?))",
    re.DOTALL,
)
_ESCAPES = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


def _unquote(text: str, error: Callable[[], BadInputError]) -> str:
    def replace(found: re.Match[str]) -> str:
        if one := found["one"]:
            return _ESCAPES.get(one, one)
        if octal := found["octal"]:
            return chr(int(octal, 8))
        digits = found["x"] or found["u"] or found["U"]
        if digits is None or int(digits, 16) > 0x10FFFF:
            raise error()
        return chr(int(digits, 16))

    quotes = 3 if text[:3] in ("'''", '"""') and len(text) >= 6 else 1
    return _ESCAPE.sub(replace, text[quotes:-quotes])
