"""The command line: the verbs of the library. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from samoyed.core.stopping import Interrupted, StopRequest, receiving, take_over

STOP = StopRequest(
    "starting", is_kept=sys.argv[1:2] == ["train"],
    is_program=__name__ == "__main__" or os.path.basename(sys.argv[0]) == "samoyed",
)  # fmt: skip
take_over(STOP)  # before anything else is imported: that takes its time

from cyclopts import App, CycloptsError, Parameter  # noqa: E402

from samoyed import __version__  # noqa: E402
from samoyed.core.spec import OnBad  # noqa: E402
from samoyed.terminal import prepare_terminal  # noqa: E402

app = App(
    name="samoyed",
    version=f"samoyed {__version__}",
    help="Point samoyed at raw data; one command learns a model, measures it and shows what it "
    "learned.",
    help_format="plaintext",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # main says what was stopped
)

Inputs = Annotated[str, Parameter(allow_leading_hyphen=True)]
Input = Annotated[str | None, Parameter(name="--input")]
Settings = Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)]
Words = Annotated[tuple[str, str, str] | None, Parameter(negative="")]

AsJson = Annotated[bool, Parameter(name="--json", negative="")]
Flag = Annotated[bool, Parameter(negative="")]


@app.command
def train(
    data: str = "digits",
    *,
    task: str | None = None,
    model: str | None = None,
    size: str | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    out: Path | None = None,
    init: Path | None = None,
    seed: int = 0,
    on_bad: OnBad = "stop",
    fresh: Flag = False,
    target: str | None = None,
    test: str | None = None,
    input_: Input = None,
    set_: Settings = None,
) -> None:
    """Learn a model from raw data; the same command again resumes.

    Parameters
    ----------
    data
        A folder of pictures (one folder per class, or IDX files), a table with --target, a text
        file, a Gymnasium id such as CartPole-v1, or a built-in: digits, catch, adding.
    task
        The question to learn; the data decides by default.
    model
        The system; see `samoyed models`.
    size
        One of the system's sizes.
    minutes
        How long to train.
    epochs
        Passes through the data; not together with --minutes.
    out
        The run folder; runs/<data> by default.
    init
        A run whose weights to begin with.
    seed
        Of the initial weights and the order of examples.
    on_bad
        What to do with a bad file or row: stop, or skip and list it.
    fresh
        Start over, dropping what the run folder holds.
    target
        Of a table: the column to learn, by name or number from 1; several with commas.
    test
        Of a table: the official test file; without it a fifth of the rows is held out.
    input_
        Of a table: the columns to learn from, by name or number, or "all but NAMES".
    set_
        Any other dial, key=value; can be given several times. `--quiet`, `--device cuda` and
        `--precision float32` are short for `--set quiet=true` and so on; so are `--from de` and
        `--to en`, the languages of sentence pairs.
    """
    from samoyed import api
    from samoyed.core.settings import parse

    api.train(
        data, task=task, model=model, size=size, minutes=minutes, epochs=epochs, out=out,
        init=init, seed=seed, on_bad=on_bad, fresh=fresh, target=target, test=test, input=input_,
        settings=parse(set_ or []),
    )  # fmt: skip


@app.command
def check(
    data: str = "digits",
    *,
    on_bad: OnBad = "stop",
    task: str | None = None,
    target: str | None = None,
    test: str | None = None,
    input_: Input = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
) -> None:
    """Look at every example and say what was found and what is wrong; train nothing.

    Parameters
    ----------
    data
        As for `train`.
    on_bad
        Stop at bad files or rows, or skip and list them.
    task
        As for `train`.
    target
        Of a table: the column to learn; without it the columns are listed.
    test
        Of a table: the official test file.
    input_
        Of a table: the columns to learn from.
    from_
        Of sentence pairs: the language to translate from.
    to
        Of sentence pairs: the language to translate into.
    """
    from samoyed import api

    for line in api.check(
        data, on_bad=on_bad, task=task, target=target, test=test, input=input_, source=from_,
        into=to,
    ):  # fmt: skip
        print(line)


@app.command
def evaluate(
    run: Path, data: str | None = None, *, on_bad: OnBad | None = None, json_: AsJson = False
) -> None:
    """Score a run on what was held out when it learned, or on other data of the same kind.

    Parameters
    ----------
    run
        The run folder.
    data
        Other data: its test part is scored, or all of it where it has none.
    on_bad
        Of other data: stop at bad files or rows, or skip them; as the run did by default.
    json_
        Print JSON.
    """
    from dataclasses import asdict

    from samoyed import api
    from samoyed.runs.finishing import in_line

    scores = api.load(run).evaluate(data, on_bad=on_bad, say=None if json_ else print)
    if json_:
        print(json.dumps([asdict(score) for score in scores]))
        return
    for score in scores:
        print(in_line(score))


@app.command
def predict(
    run: Path,
    *inputs: Inputs,
    prompt: str | None = None,
    near: str | None = None,
    analogy: Words = None,
    length: int = 500,
    temperature: float = 0.8,
    seed: int = 0,
    json_: AsJson = False,
) -> None:
    """Answer for pictures, tables, prompts or a game; without inputs, read standard input.

    Parameters
    ----------
    run
        The run folder, or a file that `samoyed export` wrote.
    inputs
        Files or folders of pictures, tables, or prompts; "-" or nothing reads standard input:
        paths of pictures line by line, a table, texts line by line or in columns, or a prompt.
    prompt
        How a text begins.
    near
        Of word vectors: a word, whose nearest neighbours are named.
    analogy
        Of word vectors: three words, king man woman: which word is to woman as king to man?
    length
        Characters to write.
    temperature
        Above 0: how daring to write; 0 always takes the likeliest character.
    seed
        Of the sampling.
    json_
        Print one JSON object per line and answer.
    """
    from samoyed.asking import Question, answered

    question = Question(inputs, prompt, near, analogy, length, temperature, seed)
    for line in answered(run, question, is_json=json_):
        print(line)


@app.command
def export(
    run: Path, *, to: str = "onnx", int8: Flag = False, out: Path | None = None
) -> None:  # fmt: skip
    """Write a run as one file that answers without samoyed, and compare its answers.

    Parameters
    ----------
    run
        The run folder: one about pictures, tables or word vectors.
    to
        "onnx", or "torch" for a torch.export program; of word vectors "word2vec".
    int8
        Also write 8-bit weights and activations, and measure what they cost and bring.
    out
        The file; by default the run's name with .onnx, .pt2 or .txt, beside the run folder; word
        vectors in bytes where it ends in .bin.
    """
    from samoyed import api

    for line in api.export(run, to, out, int8=int8).lines:
        print(line)


@app.command
def explain(run: Path, *inputs: str, input_: Input = None) -> None:
    """Draw what the model makes of its inputs, layer by layer; say where, and if heat maps agree.

    Parameters
    ----------
    run
        The run folder.
    inputs
        Pictures, a text or sentences; a game needs none, nor does the map of words.
    input_
        One more of them.
    """
    from samoyed import api

    asked = (*inputs, *([input_] if input_ is not None else []))
    page = api.load(run).explain(asked, say=print)
    print(f"written: {page}")


@app.command
def compare(*runs: Path, out: Path | None = None) -> None:
    """Set runs side by side: scores with intervals, seconds, parameters.

    Parameters
    ----------
    runs
        Two or more run folders.
    out
        Also write a page with the learning curves.
    """
    from samoyed.runs.comparing import compare_runs

    for line in compare_runs(runs, out):
        print(line)


@app.command
def models(name: str | None = None, *, json_: AsJson = False) -> None:
    """List the canon, or show one system: paper, sizes, dials, evidence.

    Parameters
    ----------
    name
        A system.
    json_
        Print JSON.
    """
    from samoyed.showing import show_models

    for line in show_models(name, is_json=json_):
        print(line)


@app.command
def doctor() -> None:
    """Say what this machine can do: versions, threads, measured arithmetic, extras, cache."""
    from samoyed.showing import examine

    for line in examine():
        print(line)


@app.command
def verify(
    *names: str,
    claims: Flag = False,
    data: Path | None = None,
    seeds: int | None = None,
    only: str | None = None,
    out: Path = Path("evidence"),
) -> None:
    """Check systems against their papers: exact checks in seconds, or the claims by training.

    Parameters
    ----------
    names
        Systems; all of them by default.
    claims
        Train and measure what the paper claims, and write evidence/<system>.md. Takes minutes.
    data
        The folder that holds mnist/ and text/shakespeare/.
    seeds
        How many seeds, in place of each claim's own number.
    only
        The key of one claim.
    out
        Where the evidence pages go.
    """
    from samoyed.verifying import verify_systems

    is_sound = verify_systems(
        names, with_claims=claims, data=data, num_seeds=seeds, only=only, out=out, say=print
    )
    if not is_sound:
        raise SystemExit(1)


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """Write the options of `train` that are short for a dial as `--set`.

    >>> spelled_out(["train", "digits", "--quiet", "--device", "cuda"])
    ['train', 'digits', '--set', 'quiet=true', '--set', 'device=cuda']
    """
    if not arguments or arguments[0] != "train":
        return list(arguments)
    spelled, rest = [], list(arguments)
    while rest:
        option, _, value = (argument := rest.pop(0)).partition("=")
        if argument == "--quiet":
            spelled += ["--set", "quiet=true"]
        elif option in ("--device", "--precision", "--from", "--to"):
            if not value and rest and not rest[0].startswith("--"):
                value = rest.pop(0)
            spelled += ["--set", f"{option[2:]}={value}"]
        else:
            spelled.append(argument)
    return spelled


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; anything a user can cause ends in a message, never a traceback."""
    arguments = spelled_out(sys.argv[1:] if arguments is None else arguments)
    prepare_terminal()
    try:
        with receiving(STOP):
            STOP.is_kept = arguments[:1] == ["train"]
            STOP.doing = "starting" if STOP.is_kept else ""  # which `train` says from here on
            if arguments[:1] in (["predict"], ["train"]):
                from samoyed.misunderstood import refuse_misread

                refuse_misread(*arguments)
            app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        from samoyed.misunderstood import as_option_error

        raise SystemExit(_explain_failure(as_option_error(error))) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Interrupted as stopped:
        print(stopped, file=sys.stderr)
        raise SystemExit(128 + stopped.number) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        raise SystemExit(_explain_failure(error, *arguments[:1])) from None


def _explain_failure(error: Exception, verb: str = "") -> int:
    """Print a message for the errors that have one; raise the others again."""
    from samoyed.core.errors import SamoyedError

    if isinstance(error, SamoyedError):
        if verb not in ("check", "train", "evaluate"):
            from samoyed.misunderstood import without_skipping

            error.hint = without_skipping(error.hint)
        print(f"error: {error}", file=sys.stderr)
        return 2
    if isinstance(error, OSError) and error.filename is not None:
        print(f"error: {error.filename}\n  found:    {error.strerror}", file=sys.stderr)
        return 2
    raise error


if __name__ == "__main__":
    main()
