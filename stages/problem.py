"""What a person can mend, said in one line."""

MOST = 2000  # characters


class Problem(Exception):
    """Ends a command with one clear line (where, what, what to do) and exit code 2, without a traceback.

    What it names may be anything, so a line break or a terminal's command in it becomes a blank, and of a line without
    end the middle is left out.
    """

    def __init__(self, line: str):
        line = "".join(c if c.isprintable() else " " for c in line)
        super().__init__(line if len(line) <= MOST else f"{line[: MOST // 2]} … {line[-MOST // 2 :]}")
