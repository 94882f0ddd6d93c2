"""Text to tree and back."""

from __future__ import annotations

from contraband.eql.syntax.parser import parse, parse_expression
from contraband.eql.syntax.printer import print_expr, print_statement
from contraband.eql.syntax.tokens import tokenise

__all__ = ["parse", "parse_expression", "print_expr", "print_statement", "tokenise"]
