"""What is said on the side: one line of words, without the place in the program."""

import warnings

from samoyed import terminal


def test_our_warnings_are_words_and_those_of_others_have_their_place(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        terminal.prepare_terminal()
        warnings.warn_explicit("of theirs", UserWarning, "/elsewhere/x.py", 7)
        warnings.warn_explicit("of ours", UserWarning, terminal.__file__, 7)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "/elsewhere/x.py:7: UserWarning: of theirs"
    assert told[-1] == "warning: of ours"
