"""Text to tree: the whole grammar of Elasticsearch's EQL, and those parts of the old dialect that deserve a clear answer.

Reading goes on behind a mistake at the next stage or pipe, so that one run names all of them.
"""

from __future__ import annotations

from contraband.diagnostics import CompileError, Span
from contraband.eql import errors
from contraband.eql.syntax import ast
from contraband.eql.syntax.expressions import ExpressionParser, Unexpected
from contraband.eql.syntax.tokens import Token, TokenKind, string_value

MAX_RUNS = 100
"""What `with runs` may ask for, as in Elasticsearch."""

_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_SPAN = 2**63 - 1


def parse(text: str) -> ast.Statement:
    """The tree of a query. Raises `CompileError` with everything that is wrong with its form."""
    parser = _Parser(text)
    statement = parser.statement()
    if parser.findings or statement is None:
        raise CompileError(tuple(sorted(parser.findings, key=lambda finding: finding.span or Span(0, 0))), text)
    return statement


def parse_expression(text: str) -> ast.Expr:
    """The tree of a condition without category and pipes, as in rule exceptions and examples of functions."""
    parser = _Parser(text)
    expr: ast.Expr | None = None
    try:
        expr = parser.expression()
        if parser.token.kind is not TokenKind.END:
            parser.unexpected("the end of the expression")
    except Unexpected:
        pass
    if parser.findings or expr is None:
        raise CompileError(tuple(parser.findings), text)
    return expr


class _Parser(ExpressionParser):
    def statement(self) -> ast.Statement | None:
        start = self.token.start
        query: ast.EventQuery | ast.Sequence | ast.Sample | None = None
        try:
            query = self._query()
        except Unexpected:
            self._recover(TokenKind.PIPE)
        pipes = self._pipes(isinstance(query, ast.Sample))
        if query is None:
            return None
        return ast.Statement(query, pipes, self.since(start))

    def _query(self) -> ast.EventQuery | ast.Sequence | ast.Sample | None:
        match self.token.kind:
            case TokenKind.SEQUENCE:
                return self._sequence()
            case TokenKind.SAMPLE:
                return self._sample()
            case TokenKind.JOIN:
                self.note(errors.join_unsupported(self.token.span))
                raise Unexpected
            case _:
                event_filter = self._event_filter()
                return ast.EventQuery(event_filter, event_filter.span)

    def _event_filter(self) -> ast.EventFilter:
        token = self.token
        category: str | None = None
        match token.kind:
            case TokenKind.IDENTIFIER:
                category = self.text(token)
            case TokenKind.STRING | TokenKind.RAW_STRING:
                category = string_value(self.source, token, self.findings)
            case TokenKind.ANY:
                pass
            case _:
                raise self.unexpected("an event category, `any`, `sequence` or `sample`")
        self.advance()
        self.expect(TokenKind.WHERE)
        condition = self.expression()
        return ast.EventFilter(category, condition, token.span, self.since(token.start))

    # -------------------------------------------------------------------------------------------------- sequences, samples

    def _sequence(self) -> ast.Sequence:
        start = self.advance().start
        keys = self._keys()
        maxspan = self._maxspan() if self.token.kind is TokenKind.WITH else None
        if self.token.kind is TokenKind.BY:
            misplaced = self.token.start
            keys = keys or self._keys()
            self.note(errors.by_after_with(self.since(misplaced)))
        stages = self._stages("sequence")
        until = self._until("sequence") if self.token.kind is TokenKind.UNTIL else None
        self._end_of_query()
        return ast.Sequence(keys, maxspan, stages, until, self.since(start))

    def _sample(self) -> ast.Sample:
        start = self.advance().start
        keys = self._keys()
        if self.token.kind is TokenKind.WITH:
            option = self.token.start
            self._maxspan()
            self.note(errors.not_in_samples("maxspan", self.since(option)))
            keys = keys or self._keys()
        stages = self._stages("sample")
        if self.token.kind is TokenKind.UNTIL:
            self.note(errors.not_in_samples("until", self.token.span))
            self._until("sample")
        self._end_of_query()
        return ast.Sample(keys, stages, self.since(start))

    def _end_of_query(self) -> None:
        if self.token.kind not in (TokenKind.PIPE, TokenKind.END):
            raise self.unexpected("`[`, `|` or the end of the query")

    def _keys(self) -> tuple[ast.Expr, ...]:
        if not self.accept(TokenKind.BY):
            return ()
        keys = [self.expression()]
        while self.accept(TokenKind.COMMA):
            keys.append(self.expression())
        return tuple(keys)

    def _maxspan(self) -> int | None:
        self.advance()
        name = self.advance()
        if name.kind is not TokenKind.MAXSPAN:
            self.note(errors.unknown_option(self.text(name), "maxspan", name.span))
        self.expect(TokenKind.ASSIGN)
        sign = self.accept(TokenKind.MINUS)
        number = self.advance()
        if number.kind not in (TokenKind.INTEGER, TokenKind.DECIMAL):
            self.index -= 1
            self.token = number
            raise self.unexpected("a time span such as `1m`")
        unit = self.accept(TokenKind.IDENTIFIER)
        return self._span_of(number, unit, negative=sign is not None) if name.kind is TokenKind.MAXSPAN else None

    def _span_of(self, number: Token, unit: Token | None, *, negative: bool) -> int | None:
        whole = self.since(number.start)
        text = self.source[whole.start : whole.end]
        if number.kind is TokenKind.DECIMAL:
            self.note(errors.decimal_maxspan(self.text(number), number.span))
            return None
        value = self._number(number)
        if value <= 0 or negative:
            self.note(errors.maxspan_not_positive(-int(value) if negative else int(value), number.span))
            return None
        if unit is None:
            self.note(errors.no_time_unit(text, number.span))
            return None
        factor = _MILLISECONDS.get(self.text(unit))
        if factor is None:
            self.note(errors.unknown_time_unit(self.text(unit), text, unit.span))
            return None
        if value * factor > _LONGEST_SPAN:
            self.note(errors.number_out_of_range(self.text(number), number.span))
            return None
        return int(value) * factor

    def _stages(self, kind: str) -> tuple[ast.Stage, ...]:
        stages: list[ast.Stage | None] = []
        while self.token.kind in (TokenKind.LEFT_BRACKET, TokenKind.MISSING_OPEN):
            stages.append(self._stage(kind))
        if not stages:
            raise self.unexpected(f"`[`, the first event of the {kind}")
        return tuple(stage for stage in stages if stage is not None)

    def _stage(self, kind: str) -> ast.Stage | None:
        opening = self.token
        event_filter = self._bracketed()
        missing = opening.kind is TokenKind.MISSING_OPEN
        if missing and kind == "sample":
            self.note(errors.not_in_samples("missing events", opening.span))
        if self.token.kind is TokenKind.IDENTIFIER and self.text(self.token) == "fork":
            self._fork()
        keys = self._keys()
        runs = self._runs(kind) if self.token.kind is TokenKind.WITH else 1
        if event_filter is None:
            return None
        return ast.Stage(event_filter, keys, missing, runs, self.since(opening.start))

    def _bracketed(self) -> ast.EventFilter | None:
        """`[category where condition]`; None if it cannot be read, and reading goes on behind it."""
        depth = self._depth
        self.advance()
        try:
            event_filter = self._event_filter()
            self.expect(TokenKind.RIGHT_BRACKET)
        except Unexpected:
            self._depth = depth
            self._recover(TokenKind.RIGHT_BRACKET)
            self.accept(TokenKind.RIGHT_BRACKET)
            return None
        return event_filter

    def _fork(self) -> None:
        fork = self.advance()
        if self.token.kind in (TokenKind.ASSIGN, TokenKind.EQ):
            self.advance()
            self.advance()
        self.note(errors.fork_unsupported(self.since(fork.start)))

    def _runs(self, kind: str) -> int:
        start = self.advance().start
        name = self.advance()
        if self.text(name) != "runs":
            self.note(errors.unknown_option(self.text(name), "runs", name.span))
        self.expect(TokenKind.ASSIGN)
        number = self.token.start
        sign = self.accept(TokenKind.MINUS)
        value = self.constant(f"a number from 1 to {MAX_RUNS}")
        span = self.since(number)
        if kind == "sample":
            self.note(errors.not_in_samples("runs", self.since(start)))
        if (
            not isinstance(value, ast.Number)
            or sign
            or not isinstance(value.value, int)
            or not 1 <= value.value <= MAX_RUNS
        ):
            self.note(errors.runs_out_of_range(self.source[span.start : span.end], MAX_RUNS, span))
            return 1
        return value.value

    def _until(self, kind: str) -> ast.Stage | None:
        self.advance()
        opening = self.token
        if opening.kind not in (TokenKind.LEFT_BRACKET, TokenKind.MISSING_OPEN):
            raise self.unexpected("`[` after `until`")
        event_filter = self._bracketed()
        if opening.kind is TokenKind.MISSING_OPEN and kind == "sequence":
            self.note(errors.missing_until(opening.span))
        keys = self._keys()
        if event_filter is None:
            return None
        return ast.Stage(event_filter, keys, False, 1, self.since(opening.start))

    # ---------------------------------------------------------------------------------------------------------------- pipes

    def _pipes(self, of_sample: bool) -> tuple[ast.Pipe, ...]:
        pipes: list[ast.Pipe] = []
        if self.token.kind not in (TokenKind.PIPE, TokenKind.END):
            self.unexpected("`and`, `or`, `|` or the end of the query", hint=self._trailing_hint())
            self._recover(TokenKind.PIPE)
        while self.token.kind is TokenKind.PIPE:
            start = self.token.start
            try:
                pipe = self._pipe()
                pipes.append(pipe)
                if self.token.kind not in (TokenKind.PIPE, TokenKind.END):
                    raise self.unexpected("`|` or the end of the query")
            except Unexpected:
                self._recover(TokenKind.PIPE)
            if of_sample:
                self.note(errors.not_in_samples("pipes", self.since(start)))
        return tuple(pipes)

    def _trailing_hint(self) -> str:
        match self.token.kind:
            case TokenKind.RIGHT_PAREN:
                return "no `(` is open here"
            case TokenKind.RIGHT_BRACKET:
                return "no `[` is open here"
            case TokenKind.LEFT_BRACKET | TokenKind.MISSING_OPEN:
                return "several events need `sequence` or `sample` before the first"
            case _:
                return ""

    def _pipe(self) -> ast.Pipe:
        start = self.advance().start
        name = self.token
        if name.kind is not TokenKind.IDENTIFIER:
            raise self.unexpected("`head` or `tail`")
        self.advance()
        arguments: list[ast.Expr] = []
        if self.token.kind not in (TokenKind.PIPE, TokenKind.END):
            arguments.append(self.expression())
            while self.accept(TokenKind.COMMA):
                arguments.append(self.expression())
        return ast.Pipe(self.text(name), tuple(arguments), name.span, self.since(start))

    def _recover(self, kind: TokenKind) -> None:
        """Go on to the next token of this kind, over brackets that are opened and closed on the way, or to the end."""
        self._depth = 0
        depth = 0
        while self.token.kind is not TokenKind.END:
            if self.token.kind is kind and depth <= 0:
                return
            if kind is TokenKind.RIGHT_BRACKET and self.token.kind is TokenKind.PIPE:
                return
            if self.token.kind in (TokenKind.LEFT_BRACKET, TokenKind.MISSING_OPEN):
                depth += 1
            elif self.token.kind is TokenKind.RIGHT_BRACKET:
                depth -= 1
            self.advance()
