"""Text to tokens: the lexical grammar of EQL. Knows nothing of what a token means in its place.

What cannot be read becomes a finding, and reading goes on behind it, so that one run names all of them.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from enum import StrEnum
from typing import NamedTuple

from contraband.diagnostics import Diagnostic, Span
from contraband.eql import errors


class TokenKind(StrEnum):
    """What a token is; keywords and punctuation are named by their text."""

    IDENTIFIER = "name"
    QUOTED_IDENTIFIER = "quoted name"
    TILDE_IDENTIFIER = "name~"
    STRING = "string"
    RAW_STRING = "raw string"
    INTEGER = "integer"
    DECIMAL = "decimal number"
    AND = "and"
    ANY = "any"
    BY = "by"
    FALSE = "false"
    IN = "in"
    IN_INSENSITIVE = "in~"
    JOIN = "join"
    LIKE = "like"
    LIKE_INSENSITIVE = "like~"
    MAXSPAN = "maxspan"
    NOT = "not"
    NULL = "null"
    OF = "of"
    OR = "or"
    REGEX = "regex"
    REGEX_INSENSITIVE = "regex~"
    SAMPLE = "sample"
    SEQUENCE = "sequence"
    TRUE = "true"
    UNTIL = "until"
    WHERE = "where"
    WITH = "with"
    COLON = ":"
    ASSIGN = "="
    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    SLASH = "/"
    PERCENT = "%"
    DOT = "."
    COMMA = ","
    OPTIONAL = "?"
    LEFT_BRACKET = "["
    MISSING_OPEN = "!["
    RIGHT_BRACKET = "]"
    LEFT_PAREN = "("
    RIGHT_PAREN = ")"
    PIPE = "|"
    END = "end of the query"


class Token(NamedTuple):
    """One token; its text is `source[start:end]`."""

    kind: TokenKind
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)


_NAMED = {
    TokenKind.IDENTIFIER,
    TokenKind.TILDE_IDENTIFIER,
    TokenKind.STRING,
    TokenKind.INTEGER,
}
KEYWORDS = {kind.value: kind for kind in TokenKind if kind not in _NAMED and re.fullmatch(r"[a-z]+~?", kind)}
"""The reserved words; as (part of) a field name they must be quoted."""
_PUNCTUATION = {kind.value: kind for kind in TokenKind if re.fullmatch(r"\W+", kind)}

# One alternative a kind; `lastindex` of the match says which. Blanks and line comments are part of every match.
_TOKEN = re.compile(
    r"""(?:[ \t\r\n]+|//[^\r\n]*)*
    (?:([A-Za-z_@][A-Za-z0-9_]*~?)               # 1 identifier, keyword, function name with tilde
    |("{3}[^\r\n]*?"{3}"{0,2})                     # 2 raw string: one or two further quotes belong to the text
    |("(?:[^"\\\r\n]|\\.)*")                       # 3 string
    |(/\*)                                         # 4 comment with brackets, which nest
    |(==|!=|<=|>=|!\[|[<>=+\-*/%,\[\]():|]|\.(?![0-9])|\?(?!["']))  # 5 punctuation
    |([0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.[0-9]*)  # 6 decimal
    |([0-9]+)                                      # 7 integer
    |(`(?:[^`]|``)*`)                              # 8 quoted identifier
    |(\Z)                                          # 9 end
    )""",
    re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_OLD_STRING = re.compile(r"""\?"(?:\\"|[^"\r\n])*"|\?'(?:\\'|[^'\r\n])*'|'(?:\\.|[^'\\\r\n])*'""")
_UNCLOSED = re.compile(r"""\??["'`][^\r\n]*""")


def tokenise(source: str) -> tuple[list[Token], list[Diagnostic]]:
    """All tokens, the last one END, and what could not be read."""
    findings: list[Diagnostic] = []
    return list(_tokens(source, findings)), findings


def _tokens(source: str, findings: list[Diagnostic]) -> Iterator[Token]:
    match_at = _TOKEN.match
    keywords, punctuation = KEYWORDS, _PUNCTUATION
    position = 0
    while True:
        match = match_at(source, position)
        if match is None:
            position = yield from _unreadable(source, position, findings)
            continue
        index = match.lastindex or 0
        start, position = match.span(index)
        if index == 1:
            text = match[1]
            kind = keywords.get(text)
            if kind is None:
                kind = TokenKind.TILDE_IDENTIFIER if text[-1] == "~" else TokenKind.IDENTIFIER
            yield Token(kind, start, position)
        elif index == 5:
            yield Token(punctuation[match[5]], start, position)
        elif index == 3:
            if position - start == 2 and source.startswith('"', position):  # three quotes, and none to close them
                position = yield from _unclosed_raw(source, start, findings)
            else:
                yield Token(TokenKind.STRING, start, position)
        elif index == 4:
            position = _comment_end(source, start, findings)
        elif index == 9:
            yield Token(TokenKind.END, start, position)
            return
        else:
            yield Token(_RARE[index], start, position)


_RARE = {
    2: TokenKind.RAW_STRING,
    6: TokenKind.DECIMAL,
    7: TokenKind.INTEGER,
    8: TokenKind.QUOTED_IDENTIFIER,
}


def _comment_end(source: str, start: int, findings: list[Diagnostic]) -> int:
    depth, position = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(source, position)
        if edge is None:
            findings.append(errors.unclosed("comment", "*/", Span(start, start + 2)))
            return len(source)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def _unclosed_raw(source: str, start: int, findings: list[Diagnostic]) -> Generator[Token, None, int]:
    end = next((place for place in range(start, len(source)) if source[place] in "\r\n"), len(source))
    findings.append(errors.unclosed("string", '"""', Span(start, end)))
    yield Token(TokenKind.STRING, start, end)
    return end


_BLANKS = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*)*")


def _unreadable(source: str, position: int, findings: list[Diagnostic]) -> Generator[Token, None, int]:
    """Name what stands at `position`, and step over it: as a string where it was meant as one."""
    blanks = _BLANKS.match(source, position)
    start = blanks.end() if blanks else position
    old = _OLD_STRING.match(source, start)
    if old is not None:
        make = errors.old_raw_string if source[start] == "?" else errors.single_quotes
        findings.append(make(Span(start, old.end())))
        yield Token(TokenKind.STRING, start, old.end())
        return old.end()
    unclosed = _UNCLOSED.match(source, start)
    if unclosed is not None:
        what, closing = ("quoted name", "`") if source[start] == "`" else ("string", source[start].replace("?", '"'))
        findings.append(errors.unclosed(what, closing, Span(start, unclosed.end())))
        yield Token(TokenKind.QUOTED_IDENTIFIER if closing == "`" else TokenKind.STRING, start, unclosed.end())
        return unclosed.end()
    findings.append(errors.unknown_character(source[start], Span(start, start + 1)))
    return start + 1


# ------------------------------------------------------------------------------------------------ what a token stands for

_SIMPLE_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{2,8})\}|u([0-9a-fA-F]{4})|(u\{[^}\"]*\}?|u[0-9a-fA-F]{0,3}|.))", re.DOTALL)


def string_value(source: str, token: Token, findings: list[Diagnostic]) -> str:
    """The text that a string token stands for. Escapes that do not exist become findings."""
    text = source[token.start : token.end]
    if token.kind is TokenKind.RAW_STRING:
        return text[3:-3]
    if text[0] != '"' or len(text) < 2 or text[-1] != '"':
        return text[1:-1]  # already a finding of the lexer
    if "\\" not in text:
        return text[1:-1]

    def resolve(match: re.Match[str]) -> str:
        digits = match[1] or match[2]
        span = Span(token.start + 1 + match.start(), token.start + 1 + match.end())
        if digits is None:
            simple = _SIMPLE_ESCAPES.get(match[3])
            if simple is None:
                findings.append(errors.unknown_escape(match[0], span))
            return simple or ""
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            findings.append(errors.invalid_code_point(digits, surrogate=code <= 0xDFFF, span=span))
            return ""
        return chr(code)

    return _ESCAPE.sub(resolve, text[1:-1])


def quoted_name(source: str, token: Token) -> str:
    """The name that a token with back-quotes stands for."""
    return source[token.start + 1 : token.end - 1].replace("``", "`")
