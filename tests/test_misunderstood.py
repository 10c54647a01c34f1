"""What the parser could not understand is answered with all that would have been understood."""

import pytest

from samoyed import cli


@pytest.mark.parametrize("verb", ["train", "check"])
def test_an_unknown_option_is_answered_with_all_there_are(
    verb: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as stopped:
        cli.main([verb, "data", "--form", "de"])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    listed = message.split("expected: ")[1].split("\n")[0].split(": ")[1].split(", ")
    assert {"--from", "--to", "--task", "--on-bad"} <= {*listed}
    assert "Did you mean '--from'?" in message


@pytest.mark.parametrize(
    "option", ["--quiet", "--device=cpu", "--precision=auto", "--from=de", "--to=en"]
)
def test_every_option_that_is_short_for_a_dial_is_listed(
    option: str, capsys: pytest.CaptureFixture[str]
):
    assert cli.spelled_out(["train", "data", option])[2] == "--set"
    with pytest.raises(SystemExit):
        cli.main(["train", "data", "--bogus"])
    assert f"{option.split('=')[0]}, " in capsys.readouterr().err.replace("\n", ", ")


@pytest.mark.parametrize(
    "typed",
    [["--to", "en", "--from"], ["--from", "--to", "en"], ["--from=", "--to", "en"]],
)
def test_a_short_option_without_a_value_is_named(typed: list[str], capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", "digits", *typed])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --from\n  expected: a value\n  found:    nothing")
