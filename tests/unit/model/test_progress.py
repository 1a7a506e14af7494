"""The progress bar: one line that is drawn over itself, and only where somebody watches."""

import io

from mnist_model.progress import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_drawn_once_per_percent_and_cleared() -> None:
    terminal = Terminal()
    bar = Bar("training", 1000, terminal)
    for done in range(501):
        bar.show(done, "loss 0.1")
    assert terminal.getvalue().count("\r") == 51
    assert terminal.getvalue().rpartition("\r")[2].endswith(" 50% loss 0.1")
    bar.clear()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "\n" not in terminal.getvalue()


def test_nothing_is_written_into_a_file() -> None:
    file = io.StringIO()
    bar = Bar("training", 10, file)
    bar.show(5)
    bar.clear()
    assert file.getvalue() == ""
