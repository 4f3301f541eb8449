"""What a person can mend, said in one line."""


class Problem(Exception):
    """Ends a command with one clear line (where, what, what to do) and exit code 2, without a traceback."""
