"""Every error of the language, one constructor each: code, wording, label and hint. `docs/errors/E###.md` explains each.

Where Elasticsearch has a text for the error, the message is that text.
"""

from __future__ import annotations

from collections.abc import Sequence

from contraband.diagnostics import Diagnostic, Span

# ------------------------------------------------------------------------------------------------------- E0: reading text


def unexpected(found: str, expected: str, span: Span, *, hint: str = "") -> Diagnostic:
    """E001: the grammar does not allow this token here."""
    return Diagnostic("E001", f"expected {expected}, found {found}", span, "unexpected", (hint,) if hint else ())


def unknown_character(character: str, span: Span) -> Diagnostic:
    """E002: a character that begins nothing."""
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    return Diagnostic("E002", f"the character {shown} is not part of the language", span, "not recognised")


def unclosed(what: str, closing: str, span: Span) -> Diagnostic:
    """E003: a string, quoted name or comment that does not end."""
    hint = "" if what == "comment" else "it must end on the line on which it begins"
    return Diagnostic("E003", f"the {what} is not closed", span, f"no `{closing}` follows", (hint,) if hint else ())


def unknown_escape(text: str, span: Span) -> Diagnostic:
    """E004: a backslash before something that is no escape."""
    hint = r'a backslash is written `\\`; in """raw strings""" it needs no escape'
    return Diagnostic("E004", f"unknown escape `{text}` in a string", span, "not an escape", (hint,))


def invalid_code_point(digits: str, *, surrogate: bool, span: Span) -> Diagnostic:
    """E005: `\\u` with a number that is no character."""
    reason = "is a surrogate code" if surrogate else "is above 10FFFF"
    return Diagnostic("E005", f"Invalid unicode character code, [{digits}] {reason}", span, "no such character")


def single_quotes(span: Span) -> Diagnostic:
    """E006: `'text'`."""
    message = "Use double quotes [\"] to define string literals, not single quotes [']"
    return Diagnostic("E006", message, span, "use double quotes")


def old_raw_string(span: Span) -> Diagnostic:
    """E007: `?"text"` and `?'text'`."""
    message = 'Use triple double quotes ["""] to define unescaped string literals, not [?"]'
    return Diagnostic("E007", message, span, 'use """')


def single_equals(span: Span) -> Diagnostic:
    """E008: `a = b`."""
    return Diagnostic("E008", "`=` does not compare", span, "use `==`, or `:` to ignore letter case")


def array_index(span: Span) -> Diagnostic:
    """E009: `name[0]`."""
    hint = "a test over a field is true if any of its values fits"
    return Diagnostic("E009", "Array indexes are not supported", span, "array index", (hint,))


def nested_too_deeply(limit: int, span: Span) -> Diagnostic:
    """E010: more levels than any evaluator would stand."""
    return Diagnostic("E010", f"the expression is nested more than {limit} levels deep", span, f"level {limit + 1}")


def number_out_of_range(text: str, span: Span) -> Diagnostic:
    """E011: `1e999`."""
    return Diagnostic("E011", f"Number [{text}] is too large", span, "no double holds it")


# ------------------------------------------------------------------------------------------ E1: sequences, samples, pipes


def by_after_with(span: Span) -> Diagnostic:
    """E101: `sequence with maxspan=1m by host.id`."""
    return Diagnostic("E101", "Please specify sequence [by] before [with] not after", span, "move this before `with`")


def maxspan_not_positive(found: int, span: Span) -> Diagnostic:
    """E102: `maxspan=0s`."""
    return Diagnostic("E102", f"A positive maxspan value is required; found [{found}]", span, "must be positive")


def no_time_unit(text: str, span: Span) -> Diagnostic:
    """E103: `maxspan=5`."""
    return Diagnostic("E103", f"No time unit specified, did you mean [s] as in [{text}s]?", span, "unit missing")


def unknown_time_unit(unit: str, text: str, span: Span) -> Diagnostic:
    """E104: `maxspan=5x`."""
    message = f"Unrecognized time unit [{unit}] in [{text}], please specify one of [ms, s, m, h, d]"
    return Diagnostic("E104", message, span, "not a time unit")


def decimal_maxspan(text: str, span: Span) -> Diagnostic:
    """E105: `maxspan=1.5s`."""
    message = f"Decimal time interval [{text}] not supported; please use an positive integer"
    return Diagnostic("E105", message, span, "must be an integer")


def runs_out_of_range(found: str, maximum: int, span: Span) -> Diagnostic:
    """E106: `with runs=0`."""
    message = f"A positive runs value of at most {maximum} is required; found [{found}]"
    return Diagnostic("E106", message, span, f"must be 1 to {maximum}")


def unknown_option(found: str, expected: str, span: Span) -> Diagnostic:
    """E107: `with repeat=2`."""
    return Diagnostic("E107", f"Unrecognized option [{found}], expecting [{expected}]", span, "not an option")


def too_few_stages(kind: str, found: int, span: Span) -> Diagnostic:
    """E108: a sequence or sample with one stage."""
    return Diagnostic("E108", f"A {kind} requires a minimum of 2 queries, found [{found}]", span, "one more is needed")


def inconsistent_keys(expected: int, found: int, span: Span) -> Diagnostic:
    """E109: stages with different numbers of keys."""
    message = f"Inconsistent number of join keys specified; expected [{expected}] but found [{found}]"
    return Diagnostic("E109", message, span, "differs from the first stage")


def unsupported_join_key(text: str, span: Span) -> Diagnostic:
    """E110: `by length(name)`."""
    return Diagnostic("E110", f"Unsupported join key [{text}]", span, "only fields can be join keys")


def incompatible_keys(name: str, kind: str, other: str, other_kind: str, span: Span) -> Diagnostic:
    """E111: keys of two stages that can never be equal."""
    message = f"Sequence key [{name}] type [{kind}] is incompatible with key [{other}] type [{other_kind}]"
    return Diagnostic("E111", message, span, f"type is {other_kind}")


def missing_without_maxspan(span: Span) -> Diagnostic:
    """E112: `![...]` in a sequence without maxspan."""
    message = "Missing events are supported only for sequences with maxspan"
    return Diagnostic("E112", message, span, "missing event", ("say for how long: `sequence with maxspan=1m ...`",))


def only_missing(span: Span) -> Diagnostic:
    """E113: nothing but missing events."""
    return Diagnostic("E113", "A sequence requires at least one event that is not missing", span, "all are missing")


def sample_without_key(span: Span) -> Diagnostic:
    """E114: `sample` without `by`."""
    message = "A sample must have at least one join key, found none"
    return Diagnostic("E114", message, span, "no join key", ("write `sample by host.id ...`",))


def sample_too_long(found: int, maximum: int, span: Span) -> Diagnostic:
    """E115: a sample with more than five stages."""
    message = f"A sample cannot contain more than {maximum} queries; found [{found}]"
    return Diagnostic("E115", message, span, "too many")


def not_in_samples(what: str, span: Span) -> Diagnostic:
    """E116: pipes, maxspan, runs, until and missing events belong to sequences."""
    return Diagnostic("E116", f"Samples do not support {what}", span, "not in a sample")


def missing_until(span: Span) -> Diagnostic:
    """E117: `until ![...]`."""
    return Diagnostic("E117", "A missing event cannot end a sequence", span, "`until` takes `[...]`")


def unsupported_pipe(name: str, span: Span) -> Diagnostic:
    """E118: a pipe of the old dialect, or none at all."""
    hint = "the pipes are `head` and `tail`"
    return Diagnostic("E118", f"Pipe [{name}] is not supported", span, "not supported", (hint,))


def pipe_argument_count(name: str, found: int, span: Span) -> Diagnostic:
    """E119: `head` without a number."""
    message = f"Pipe [{name}] expects exactly one argument but found [{found}]"
    return Diagnostic("E119", message, span, "one number")


def pipe_argument(name: str, text: str, span: Span) -> Diagnostic:
    """E120: `head -1`."""
    return Diagnostic("E120", f"Pipe [{name}] expects a positive integer but found [{text}]", span, "not such a number")


def join_unsupported(span: Span) -> Diagnostic:
    """E121: `join`."""
    hint = "`sequence` asks for events in order, `sample` for events in any order"
    return Diagnostic("E121", "Join is not supported", span, "old dialect", (hint,))


def relationship_unsupported(name: str, span: Span) -> Diagnostic:
    """E122: `child of [...]` and its like."""
    hint = "compare fields of the parent, such as `process.parent.name`, or write a sequence by `process.entity_id`"
    return Diagnostic("E122", f"Process relationships are not supported ([{name} of])", span, "old dialect", (hint,))


def fork_unsupported(span: Span) -> Diagnostic:
    """E123: `fork`."""
    return Diagnostic("E123", "sequence fork is unsupported", span, "old dialect")


# ----------------------------------------------------------------------------------------------------- E2: names and types


def _did_you_mean(names: Sequence[str]) -> str:
    if not names:
        return ""
    one = len(names) == 1
    return f", did you mean [{names[0]}]?" if one else f", did you mean any of [{', '.join(names)}]?"


def unknown_field(name: str, close: Sequence[str], span: Span | None, *, use: str = "") -> Diagnostic:
    """E201: a field that no mapping has."""
    hint = f"it is named by the {use} of this search" if use else f"`?{name}` would be null where it is not mapped"
    return Diagnostic("E201", f"Unknown column [{name}]{_did_you_mean(close)}", span, "not in the mapping", (hint,))


def unknown_function(name: str, close: Sequence[str], span: Span) -> Diagnostic:
    """E202: a function that does not exist."""
    return Diagnostic("E202", f"Unknown function [{name}]{_did_you_mean(close)}", span, "not a function")


def argument_count(name: str, expected: str, span: Span) -> Diagnostic:
    """E203: too few or too many arguments."""
    return Diagnostic("E203", f"error building [{name}]: expects {expected}", span, "wrong number of arguments")


def not_case_insensitive(name: str, span: Span) -> Diagnostic:
    """E204: `length~(x)`."""
    message = f"Function [{name}] cannot be marked as case insensitive"
    hint = "`~` goes with between, endsWith, indexOf, startsWith and stringContains"
    return Diagnostic("E204", message, span, "no `~` here", (hint,))


def condition_not_boolean(found: str, span: Span) -> Diagnostic:
    """E205: `process where 5`."""
    message = f"Condition expression needs to be boolean, found [{found.upper()}]"
    return Diagnostic("E205", message, span, f"this is {found}")


def field_against_field(offender: str, where: str, span: Span) -> Diagnostic:
    """E206: `pid == ppid`."""
    message = f"Comparisons against fields are not (currently) supported; offender [{offender}] in [{where}]"
    return Diagnostic("E206", message, span, "must be a constant")


def wrong_type(
    which: str, whole: str, expected: str, text: str, found: str, span: Span, *, hint: str = ""
) -> Diagnostic:
    """E207: an operand or argument of the wrong type."""
    message = f"{which} of [{whole}] must be [{expected}], found value [{text}] type [{found}]"
    if hint:
        message = f"{message}; {hint}"
    return Diagnostic("E207", message, span, f"this is {found}")


def not_constant(which: str, whole: str, text: str, span: Span) -> Diagnostic:
    """E208: `cidrMatch(source.ip, destination.network)`."""
    message = f"{which} of [{whole}] must be a constant, received [{text}]"
    return Diagnostic("E208", message, span, "must be a constant")


def cannot_evaluate(text: str, reason: str, span: Span) -> Diagnostic:
    """E209: constants that cannot be computed: `number("x")`, `1 / 0`."""
    return Diagnostic("E209", f"cannot evaluate [{text}]: {reason}", span, reason)


def unfit_constant(text: str, kind: str, reason: str, span: Span) -> Diagnostic:
    """E210: a constant that cannot be converted to the type of the field it is compared with."""
    return Diagnostic("E210", f"failed to read [{text}] as [{kind}]", span, reason)


def unsupported_field_type(name: str, kind: str, span: Span) -> Diagnostic:
    """E211: objects, geo points and their like cannot be queried."""
    message = f"Cannot use field [{name}] type [{kind}]"
    return Diagnostic("E211", f"{message} as is unsupported", span, f"type is {kind}")


def ambiguous_field(name: str, reason: str, span: Span) -> Diagnostic:
    """E214: a field that several indices map to types which no query can treat alike."""
    hint = "search the indices one by one, or give a mapping in which the field has one type"
    return Diagnostic(
        "E214", f"Cannot use field [{name}] due to ambiguities being {reason}", span, "no single type", (hint,)
    )


def inexact_field(kind: str, reason: str, span: Span) -> Diagnostic:
    """E213: a text without a keyword sub-field cannot be compared."""
    return Diagnostic("E213", f"cannot operate on field of data type [{kind}]: {reason}", span, f"type is {kind}")


def invalid_regex(pattern: str, reason: str, span: Span) -> Diagnostic:
    """E212: a regular expression that Lucene would refuse, or on the result of a function one that is not supported."""
    return Diagnostic("E212", f"invalid regular expression [{pattern}]: {reason}", span, reason)
