"""A command line made of dataclasses: a field is a flag, its comment the help."""

from __future__ import annotations

import argparse
import inspect
import math
import re
import types
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class AtLeast:
    """The smallest value of a field, beside its type in `Annotated`."""

    minimum: float


def parse_flags(
    description: str, kinds: Sequence[type], arguments: Sequence[str] | None, usage: str
) -> dict[str, Any]:
    """The values that were given on the command line, by the names of the fields.

    What was not given is not there, so that a default stays where it is written.
    """
    parser = argparse.ArgumentParser(
        description=description,
        usage=usage,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for kind in kinds:
        add_flags(parser, kind)
    return vars(parser.parse_args(arguments))


def add_flags(parser: argparse.ArgumentParser, kind: type) -> None:
    """A flag for each field of the dataclass; a field that is a dataclass itself is left out."""
    hints, comments = get_type_hints(kind, include_extras=True), field_comments(kind)
    for each in fields(kind):
        if each.default_factory is not MISSING:
            continue
        text = comments[each.name]
        if not any(each.default is nothing for nothing in (MISSING, None, False)):
            shown = each.default if isinstance(each.default, tuple) else (each.default,)
            text += "; default: " + " ".join(map(str, shown))
        parser.add_argument(
            "--" + each.name.replace("_", "-"),
            required=each.default is MISSING,
            help=text.replace("%", "%%"),
            **_argument(hints[each.name], each.default),
        )


def field_comments(kind: type) -> dict[str, str]:
    """The comments behind a dataclass's fields, by name; one may go on in lines of its own.

    Raises:
        ValueError: a field has none.
    """
    comments: dict[str, str] = {}
    name = ""
    for line in inspect.getsource(kind).splitlines():
        if field := re.match(r" {4}(\w+): .*?  # (.+)", line):
            name = field[1]
            comments[name] = field[2]
        elif (more := re.match(r" +# (.+)", line)) and name:
            comments[name] += " " + more[1]
        else:
            name = ""
    for each in fields(kind):
        if each.default_factory is MISSING and each.name not in comments:
            raise ValueError(f"{kind.__name__}.{each.name} has no comment that explains its flag")
    return comments


def _argument(hint: Any, default: Any) -> dict[str, Any]:
    """What argparse wants to know about a type."""
    if get_origin(hint) in (Union, types.UnionType):  # with None
        (hint,) = (kind for kind in get_args(hint) if kind is not type(None))
    if hint is bool:
        either = argparse.BooleanOptionalAction
        return {"action": either if default is None else "store_true"}
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    settings: dict[str, Any] = {}
    if get_origin(hint) is tuple:
        hint, settings["nargs"] = get_args(hint)[0], "+"
    minimum = -math.inf
    if get_origin(hint) is Annotated:
        hint, bound = get_args(hint)
        minimum = bound.minimum
    names = {int: "N", float: "X", str: "NAME", Path: "PATH"}
    parse = hint if hint in (str, Path) else _number(hint, minimum)
    return {"type": parse, "metavar": names[hint], **settings}


def _number(kind: type[int] | type[float], minimum: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not (math.isfinite(value) and value >= minimum):
            wanted = f"at least {minimum}" if math.isfinite(minimum) else "a finite number"
            raise argparse.ArgumentTypeError(f"{text} is not {wanted}")
        return value

    parse.__name__ = "whole number" if kind is int else "number"  # as argparse names it
    return parse
