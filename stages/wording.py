"""Figures with their intervals, as sentences and tables have them."""


def percent_within(value: float, low: float, high: float) -> str:
    """Return a share and the ends of its interval, in percent."""
    return f"{100 * value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def gain_within(value: float, low: float, high: float) -> str:
    """Return a difference and the ends of its interval."""
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
