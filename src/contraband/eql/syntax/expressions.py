"""Tokens to expressions: one recursive descent with as few frames a level as it takes. Knows nothing of stages and pipes.

`and` and `or` become n-ary nodes, so length costs no depth; depth is bounded, so no query overflows a stack, here or later.
"""

from __future__ import annotations

import math

from contraband.diagnostics import Diagnostic, Span
from contraband.eql import errors
from contraband.eql.syntax import ast
from contraband.eql.syntax.tokens import KEYWORDS, Token, TokenKind, quoted_name, string_value, tokenise

MAX_DEPTH = 100
"""Levels of nesting. Elastic's rules need 10; Elasticsearch itself gives up when its stack is full."""

# Members of an enumeration are slow to reach, and these are reached for every token.
_AND, _OR, _NOT, _OF, _IN, _IN_INSENSITIVE = (
    TokenKind.AND,
    TokenKind.OR,
    TokenKind.NOT,
    TokenKind.OF,
    TokenKind.IN,
    TokenKind.IN_INSENSITIVE,
)
_STRING, _RAW_STRING, _IDENTIFIER, _QUOTED, _TILDE = (
    TokenKind.STRING,
    TokenKind.RAW_STRING,
    TokenKind.IDENTIFIER,
    TokenKind.QUOTED_IDENTIFIER,
    TokenKind.TILDE_IDENTIFIER,
)
_LEFT_PAREN, _RIGHT_PAREN, _COMMA, _DOT = (
    TokenKind.LEFT_PAREN,
    TokenKind.RIGHT_PAREN,
    TokenKind.COMMA,
    TokenKind.DOT,
)
_COMPARISONS = {TokenKind.EQ, TokenKind.NE, TokenKind.LT, TokenKind.LE, TokenKind.GT, TokenKind.GE}
_MATCHES = {
    TokenKind.COLON,
    TokenKind.LIKE,
    TokenKind.LIKE_INSENSITIVE,
    TokenKind.REGEX,
    TokenKind.REGEX_INSENSITIVE,
}
_POWER = {TokenKind.PLUS: 1, TokenKind.MINUS: 1, TokenKind.TIMES: 2, TokenKind.SLASH: 2, TokenKind.PERCENT: 2}
_LONGEST_UNSIGNED = 2**64 - 1


class Unexpected(Exception):
    """The construct that is being read cannot be read on; its finding has been noted."""


class ExpressionParser:
    """Reads expressions from the tokens of one text, and notes what is wrong with them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens, self.findings = tokenise(source)
        self.index = 0
        self.token = self.tokens[0]
        self._depth = 0
        self._links = 0  # arithmetic operators: they nest to the left without a call

    # ------------------------------------------------------------------------------------------------------------ tokens

    def advance(self) -> Token:
        """The current token, and go on to the next."""
        token = self.token
        if token.kind is not TokenKind.END:
            self.index += 1
            self.token = self.tokens[self.index]
        return token

    def peek(self) -> TokenKind:
        """The kind of the token after the current one."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)].kind

    def accept(self, kind: TokenKind) -> Token | None:
        """The current token if it is of this kind."""
        return self.advance() if self.token.kind is kind else None

    def expect(self, kind: TokenKind, *, hint: str = "") -> Token:
        """The current token, which must be of this kind."""
        if self.token.kind is not kind:
            raise self.unexpected(f"`{kind}`", hint=hint)
        return self.advance()

    def text(self, token: Token) -> str:
        """What the token looks like."""
        return self.source[token.start : token.end]

    def unexpected(self, expected: str, *, hint: str = "") -> Unexpected:
        """Note that the current token is not what the grammar wants."""
        token = self.token
        if token.kind is TokenKind.END:
            found, span = str(TokenKind.END), self._end_span()
        else:
            found, span = f"`{self.text(token)}`", token.span
        self.note(errors.unexpected(found, expected, span, hint=hint))
        return Unexpected()

    def note(self, finding: Diagnostic) -> None:
        """Keep a finding."""
        self.findings.append(finding)

    def since(self, start: int) -> Span:
        """From `start` to the end of the last token read."""
        end = self.tokens[self.index - 1].end if self.index else start
        return Span(start, max(end, start))

    def _end_span(self) -> Span:
        """Just behind the last token: the end of the text may lie lines below."""
        end = self.tokens[self.index - 1].end if self.index else 0
        return Span(end, end)

    # ------------------------------------------------------------------------------------------------------- expressions

    def expression(self) -> ast.Expr:
        """`a and b or not c`."""
        start = self.token.start
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._too_deep(self.token.span)
        alternatives: list[ast.Expr] = []
        while True:
            first = self.token.start
            left = self._negation()
            if self.token.kind is _AND:
                terms = list(left.operands) if type(left) is ast.And else [left]
                while self.token.kind is _AND:
                    self.advance()
                    right = self._negation()
                    if type(right) is ast.And:
                        terms.extend(right.operands)
                    else:
                        terms.append(right)
                left = ast.And(tuple(terms), self.since(first))
            if type(left) is ast.Or:
                alternatives.extend(left.operands)
            else:
                alternatives.append(left)
            if self.token.kind is not _OR:
                break
            self.advance()
        self._depth -= 1
        return (
            left
            if len(alternatives) == 1 or (type(left) is ast.Or and left.operands == tuple(alternatives))
            else ast.Or(tuple(alternatives), self.since(start))
        )

    def _negation(self) -> ast.Expr:
        starts: list[int] = []
        while self.token.kind is _NOT:
            starts.append(self.advance().start)
            if self._depth + len(starts) > MAX_DEPTH:
                raise self._too_deep(self.token.span)
        self._depth += len(starts)
        expr = self._comparison()
        self._depth -= len(starts)
        for start in reversed(starts):
            expr = ast.Not(expr, self.since(start))
        return expr

    def _comparison(self) -> ast.Expr:
        start = self.token.start
        left = self._arithmetic(1)
        kind = self.token.kind
        if kind is TokenKind.ASSIGN:
            self.note(errors.single_equals(self.token.span))
        elif kind not in _COMPARISONS:
            return left
        self.advance()
        right = self._arithmetic(1)
        if self.token.kind in _COMPARISONS:
            raise self.unexpected("`and`, `or` or the end of the condition", hint="comparisons do not chain")
        return ast.Comparison(str(kind), left, right, self.since(start))

    def _arithmetic(self, power: int) -> ast.Expr:
        start = self.token.start
        left = self._operand()
        while (found := _POWER.get(self.token.kind, 0)) >= power:
            operator = self.advance()
            self._links += 1
            right = self._arithmetic(found + 1)
            left = ast.Arithmetic(str(operator.kind), left, right, self.since(start))
            if self._links > MAX_DEPTH:  # seldom: count what it takes to walk the tree
                self._links -= MAX_DEPTH // 2
                if height(left) + self._depth > MAX_DEPTH:
                    raise self._too_deep(operator.span)
        return left

    def _operand(self) -> ast.Expr:
        """A sign, or a primary and what may follow it: `in (...)`, `: "..."`, `like ...`, `regex ...`."""
        token = self.token
        kind = token.kind
        if kind is TokenKind.MINUS or kind is TokenKind.PLUS:
            return self._signed()
        subject = self._primary(kind)
        kind = self.token.kind
        if kind in _MATCHES:
            self.advance()
            return ast.Match(str(kind), subject, self._patterns(str(kind)), self.since(token.start))
        negated = kind is _NOT and self.peek() in (_IN, _IN_INSENSITIVE)
        if negated:
            self.advance()
            kind = self.token.kind
        if kind is _IN or kind is _IN_INSENSITIVE:
            self.advance()
            self.expect(_LEFT_PAREN)
            items = self._items()
            if not items:
                raise self.unexpected("a value")
            self.expect(_RIGHT_PAREN)
            member = ast.Membership(subject, items, kind is _IN_INSENSITIVE, self.since(token.start))
            return ast.Not(member, member.span) if negated else member
        return subject

    def _signed(self) -> ast.Expr:
        signs: list[Token] = []
        while self.token.kind in (TokenKind.MINUS, TokenKind.PLUS):
            signs.append(self.advance())
            if self._depth + len(signs) > MAX_DEPTH:
                raise self._too_deep(signs[-1].span)
        self._depth += len(signs)
        expr = self._operand()
        self._depth -= len(signs)
        for sign in reversed(signs):
            if sign.kind is TokenKind.MINUS:  # a plus changes nothing
                expr = ast.Negative(expr, self.since(sign.start))
        return expr

    def _primary(self, kind: TokenKind) -> ast.Expr:
        if kind is _IDENTIFIER or kind is _QUOTED or kind is TokenKind.OPTIONAL or kind is _TILDE:
            following = self.peek()
            if following is _LEFT_PAREN and kind is not _QUOTED and kind is not TokenKind.OPTIONAL:
                return self._call()
            if following is _OF and kind is _IDENTIFIER:
                return self.relationship()
            return self.field()
        if kind is _LEFT_PAREN:
            self.advance()
            inner = self.expression()
            self.expect(_RIGHT_PAREN)
            return inner
        return self.constant("a value, a field or a condition")

    def relationship(self) -> ast.Expr:
        """`child of [...]`: never accepted, but what is inside is read for its own sake."""
        token = self.advance()
        self.advance()
        self.note(errors.relationship_unsupported(self.text(token), self.since(token.start)))
        raise Unexpected

    def constant(self, expected: str) -> ast.Constant:
        """A string, a number, `true`, `false` or `null`."""
        token = self.token
        kind = token.kind
        if kind is _STRING or kind is _RAW_STRING:
            self.advance()
            return ast.String(string_value(self.source, token, self.findings), token.span)
        if kind is TokenKind.INTEGER or kind is TokenKind.DECIMAL:
            self.advance()
            return ast.Number(self._number(token), token.span)
        if kind is TokenKind.TRUE or kind is TokenKind.FALSE:
            self.advance()
            return ast.Boolean(kind is TokenKind.TRUE, token.span)
        if kind is TokenKind.NULL:
            self.advance()
            return ast.Null(token.span)
        raise self.unexpected(expected, hint=self._keyword_hint(token))

    def _keyword_hint(self, token: Token) -> str:
        text = self.text(token)
        return f"as a field name the word is written `` `{text}` ``" if text in KEYWORDS and text.isalpha() else ""

    def _number(self, token: Token) -> int | float:
        text = self.text(token)
        # Digits beyond 20 cannot be an unsigned long; int() of very long texts is slow, and refused by Python itself.
        if (
            token.kind is TokenKind.INTEGER
            and len(text.lstrip("0")) <= 20
            and int(text.lstrip("0") or "0") <= _LONGEST_UNSIGNED
        ):
            return int(text.lstrip("0") or "0")
        value = float(text)
        if math.isinf(value):
            shown = text if len(text) <= 40 else text[:40] + "…"
            self.note(errors.number_out_of_range(shown, token.span))
            return 0
        return value

    def field(self) -> ast.Field:
        """`a.b.c`, `?a.b`, `` a.`b c` ``."""
        start = self.token.start
        optional = self.accept(TokenKind.OPTIONAL) is not None
        name = self._name_part()
        while self.token.kind is _DOT or self.token.kind is TokenKind.LEFT_BRACKET:
            if self.token.kind is _DOT:
                self.advance()
                name = f"{name}.{self._name_part()}"
            elif self.peek() is TokenKind.INTEGER:
                opening = self.advance()
                while self.accept(TokenKind.INTEGER):
                    pass
                self.expect(TokenKind.RIGHT_BRACKET)
                self.note(errors.array_index(self.since(opening.start)))
            else:
                break
        return ast.Field(name, optional, self.since(start))

    def _name_part(self) -> str:
        token = self.token
        if token.kind is _IDENTIFIER:
            self.advance()
            return self.text(token)
        if token.kind is _QUOTED:
            self.advance()
            return quoted_name(self.source, token)
        raise self.unexpected("a field name", hint=self._keyword_hint(token))

    def _call(self) -> ast.Call:
        name = self.advance()
        self.advance()
        arguments = self._items()
        self.expect(_RIGHT_PAREN)
        text = self.text(name)
        return ast.Call(text.rstrip("~"), name.kind is _TILDE, arguments, name.span, self.since(name.start))

    def _items(self) -> tuple[ast.Expr, ...]:
        if self.token.kind is _RIGHT_PAREN:
            return ()
        items = [self.expression()]
        while self.accept(_COMMA):
            items.append(self.expression())
        return tuple(items)

    def _patterns(self, operator: str) -> tuple[ast.Constant, ...]:
        if self.token.kind is not _LEFT_PAREN:
            hint = ""
            if self.token.kind is _IDENTIFIER and self.peek() is _LEFT_PAREN:
                hint = "functions are written `name(value, ...)`"
            elif self.token.kind in (_IDENTIFIER, _QUOTED, TokenKind.OPTIONAL):
                hint = "a field cannot be compared with a field"
            if hint:
                raise self.unexpected(f"a string after `{operator}`", hint=hint)
            return (self.constant(f"a string after `{operator}`"),)
        self.advance()
        patterns = [self.constant("a string")]
        while self.accept(_COMMA):
            patterns.append(self.constant("a string"))
        self.expect(_RIGHT_PAREN)
        return tuple(patterns)

    def _too_deep(self, span: Span) -> Unexpected:
        self.note(errors.nested_too_deeply(MAX_DEPTH, span))
        return Unexpected()


def height(expr: ast.Expr) -> int:
    """Levels of a tree, counted without recursion."""
    highest = 0
    todo: list[tuple[ast.Expr, int]] = [(expr, 1)]
    while todo:
        node, level = todo.pop()
        highest = max(highest, level)
        todo.extend((child, level + 1) for child in children(node))
    return highest


def children(expr: ast.Expr) -> tuple[ast.Expr, ...]:
    """The expressions directly below."""
    match expr:
        case ast.Call(arguments=arguments):
            return arguments
        case ast.And(operands=operands) | ast.Or(operands=operands):
            return operands
        case ast.Arithmetic(left=left, right=right) | ast.Comparison(left=left, right=right):
            return (left, right)
        case ast.Membership(subject=subject, items=items):
            return (subject, *items)
        case ast.Match(subject=subject, patterns=patterns):
            return (subject, *patterns)
        case ast.Not(operand=operand) | ast.Negative(operand=operand):
            return (operand,)
        case _:
            return ()
