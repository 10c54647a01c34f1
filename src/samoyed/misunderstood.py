"""What the parser of the command line could not understand, said as every other mistake is."""

from __future__ import annotations

import itertools
import math
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from cyclopts import CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from samoyed.core.errors import OptionError, did_you_mean

SHORT = {"train": ("--quiet", "--device", "--precision", "--from", "--to")}
"""The options that are short for `--set`, by verb."""

PREDICT = {
    "--prompt": 1, "--near": 1, "--analogy": 3, "--length": 1, "--temperature": 1, "--seed": 1,
    "--json": 0,
}  # fmt: skip
"""The options of `predict`, and how many values follow each."""

_ALSO = {"--run": 1, "--help": 0, "--version": 0}
KINDS = {int: "a whole number", float: "a number", bool: "nothing after it: it is a switch"}


def without_skipping(hint: str) -> str:
    """Take the advice to skip what is bad out of a hint: not every verb can.

    >>> without_skipping("Mend the line, or leave bad lines out with --on-bad skip.")
    'Mend the line.'
    """
    return re.sub(r",? or [^,.;:]*--on-bad skip", "", hint)


def as_option_error(error: CycloptsError) -> OptionError:
    """Say where the parser stumbled, what it expected and found, and what to do."""
    said = " ".join(["samoyed", *(error.command_chain or ())])
    see = f"{said} --help"
    match error:
        case UnknownCommandError():
            verbs = [name for name in (error.app or ()) if not name.startswith("-")]
            word = (error.unused_tokens or [""])[0]
            return _unknown(word, "a verb", verbs, see)
        case UnknownOptionError():
            known = {n for a in error.argument_collection if a.parse for n in a.names}
            options = [name for name in known if name.startswith("--")]
            options += SHORT.get((error.command_chain or [""])[-1], ())
            word = (error.token.keyword or error.token.value).partition("=")[0]
            return _unknown(word, f"an option of `{said}`", sorted(options), see)
        case CoercionError():
            return _no_value(error, see)
        case MissingArgumentError():
            place = error.keyword or _name(error)
            return OptionError(place, "a value", "nothing", f"see {see}")
        case RepeatArgumentError():
            place = error.token.keyword or _name(error)
            return OptionError(place, "this option once", "it more than once", "leave one out")
        case UnusedCliTokensError():
            found = ", ".join(map(repr, error.unused_tokens or ()))
            hint = f"put quotes around a name with spaces; see {see}"
            return OptionError(said, "fewer words", f"{found} besides", hint)
    error.verbose = False
    return OptionError(said, "a command as its help shows", str(error), f"see {see}")


def _unknown(word: str, expected: str, known: Sequence[str], see: str) -> OptionError:
    hint = _meant(word, known) or f"see {see}"
    return OptionError(
        word, f"{expected}: " + ", ".join(known), f"no such {expected.split()[1]}", hint
    )


def _meant(word: str, known: Iterable[str]) -> str:
    """Say which verb or option was meant, if one is near; dashes make no two of them alike.

    >>> _meant("--epocs", ["--epochs", "--out"]), _meant("--bogus", ["--epochs", "--out"])
    ("Did you mean '--epochs'?", '')
    """
    bare = {name.lstrip("-"): name for name in known}
    meant = did_you_mean(word.lstrip("-"), bare, least=0.6).strip()
    return re.sub(r"'(.*)'", lambda found: f"'{bare[found[1]]}'", meant)


def _no_value(error: CoercionError, see: str) -> OptionError:
    """Say that a value is not of the kind that its option takes."""
    kind = error.target_type
    place = (error.token.keyword if error.token else None) or _name(error)
    text = error.token.value if error.token else ""
    hint = f"see {see}"
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        hint = did_you_mean(text, choices).strip() or hint
        return OptionError(place, _either(choices), repr(text), hint)
    if kind is int and (whole := _whole(text)) is not None:
        hint = f"write {whole}"
    return OptionError(place, KINDS.get(kind or object, f"a {_word(kind)}"), repr(text), hint)


def _whole(text: str) -> int | None:
    """Return the whole number that is written as a fraction or with a power of ten, or None.

    >>> _whole("1e3"), _whole("2.5"), _whole("many")
    (1000, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return (
        int(value) if math.isfinite(value) and abs(value) < 1e15 and value == int(value) else None
    )


def _either(choices: Iterable[str]) -> str:
    return " or ".join(choices)


def _word(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind)).lower()


def _name(error: CycloptsError) -> str:
    """Return the name of the argument; one that has no option's name in capitals, as in the help.

    >>> _name(CycloptsError())
    'the command'
    """
    if error.argument is None:
        return "the command"
    is_option = error.argument.field_info.is_keyword_only
    return error.argument.name if is_option else error.argument.name.lstrip("-").upper()


def refuse_prompt(path: Path, prompt: str | None, task: str = "") -> None:
    """Raise for a prompt to a run that continues no text.

    Args:
        path: the run, or a file that was exported, of which none does.
        prompt: what was said.
        task: of the run.

    Raises:
        OptionError: naming it.
    """
    from samoyed.standard_input import LINES

    if prompt is not None and task in LINES:
        raise OptionError(
            "--prompt", "a run that continues a text", f"one to {task.replace('_', ' ')}",
            f"samoyed predict {path} {shlex.quote(prompt)} asks it",
        )  # fmt: skip
    if prompt is not None and task != "continue_text":
        raise OptionError(
            "--prompt", "pictures, folders or a table", f"a prompt to {path}", "leave it out"
        )


def refuse_misread(verb: str, *said: str) -> None:
    """Raise for what the parser would take for something else: see the two functions below."""
    (refuse_unknown if verb == "predict" else refuse_unsaid)(said)


def refuse_unknown(arguments: Sequence[str]) -> None:
    """Raise for a misspelt option, which would pass for an input as "-" must be able to.

    What follows `--` is no option, nor are the values of one, nor what has a space in its name.

    Args:
        arguments: of `predict`, as they were typed.

    Raises:
        OptionError: naming it.
    """
    typed = iter(arguments)
    for argument in itertools.takewhile(lambda argument: argument != "--", typed):
        name, is_set, _ = argument.partition("=")
        num_values = (PREDICT | _ALSO).get(name)
        if num_values is not None:
            for _ in range(0 if is_set else num_values):
                next(typed, None)
        elif re.fullmatch(r"--\w[\w-]*", name):
            raise OptionError(
                name, "an option: " + ", ".join(PREDICT), "no such option",
                _meant(name, PREDICT) or "before a text that begins so, write --",
            )  # fmt: skip


def refuse_unsaid(arguments: Sequence[str]) -> None:
    """Raise for an option of `train` that is short for `--set` and has no value.

    Args:
        arguments: of `train`, spelled out.

    Raises:
        OptionError: naming it.
    """
    for option, said in itertools.pairwise(arguments):
        name = f"--{said.removesuffix('=')}"
        if option == "--set" and said.endswith("=") and name in SHORT["train"]:
            raise OptionError(name, "a value", "nothing", f"{name} VALUE, or leave it out")


def refuse_writing(
    task: str, length: int = 500, temperature: float = 0.8, seed: int = 0
) -> None:  # fmt: skip
    """Raise for options that say how to write, to a run that writes no text of its own.

    Args:
        task: of the run or the exported file.
        length: in characters; here and below the default tells that nothing was said.
        temperature: how daring.
        seed: of the sampling.

    Raises:
        OptionError: naming the first one.
    """
    usual = {"length": (length, 500), "temperature": (temperature, 0.8), "seed": (seed, 0)}
    for option, (value, default) in usual.items():
        if task != "continue_text" and value != default:
            raise OptionError(
                f"--{option}", "a run that continues a text", f"one to {task.replace('_', ' ')}",
                "leave it out",
            )  # fmt: skip
