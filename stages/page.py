"""Pages that open from disk: one file, no requests, light or dark, narrow or wide, on paper too."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from zlib import crc32

import matplotlib

matplotlib.use("Agg")
import cv2
import numpy as np
from cycler import cycler
from jinja2 import Environment
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart without colour vision too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#555555")

plt.rcParams.update({
    "axes.prop_cycle": cycler(color=COLOURS), "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#e4e4e4", "axes.axisbelow": True, "font.size": 10, "figure.dpi": 100,
    "svg.hashsalt": "tenfold", "svg.fonttype": "path", "savefig.bbox": "tight",
    "text.parse_math": False,  # a class may be called $1
})  # fmt: skip

_PAGE = Environment(autoescape=True).from_string("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<link rel="icon" href="data:,">
<style>
:root { --ink: #1d2024; --soft: #5b626b; --line: #dfe3e8; --paper: #fff; --tint: #f5f7f9; --link: #0072b2;
  --good: #00704f; --bad: #b34700; }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.1rem 4rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .3rem 0 } h2 { margin: 2.4rem 0 .6rem; font-size: 1.25rem }
p, li { max-width: 46rem } .soft { color: var(--soft) } a { color: var(--link) }
.good { color: var(--good); font-weight: 600 } .bad { color: var(--bad); font-weight: 600 }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
td.n, th.n { text-align: right } th { color: var(--soft); font-weight: 600; font-size: .86rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .7rem; margin: 1rem 0 }
.tile { background: var(--tint); border-radius: .5rem; padding: .7rem .9rem } .tile b { display: block; font-size: 1.45rem }
.figures { margin: .8rem 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.2rem; align-items: start }
figure { margin: 0 } img, svg { max-width: 100%; height: auto; display: block } figcaption { color: var(--soft); font-size: .88rem }
figure.plot { background: #fff; border-radius: .4rem }
@media print { main { max-width: none } h2 { break-after: avoid } figure, tr { break-inside: avoid } }
</style></head><body><main>{{ body }}</main></body></html>
""")


def page(title: str, body: str) -> str:
    """Return a whole page around a body of HTML."""
    return _PAGE.render(title=title, body=_Safe(body))


class _Safe(str):
    """HTML that is already escaped."""

    def __html__(self) -> str:
        return self


def text(value: object) -> str:
    return html.escape(str(value))


def table(head: list[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; columns of numbers are set to the right. A cell that is HTML already is given as `raw(...)`."""
    columns = [[row[i] for row in rows if row[i] != ""] for i in range(len(head))]
    numeric = [bool(of) and all(isinstance(value, int | float) for value in of) for of in columns]

    def cells(tag: str, row: Sequence[object]) -> str:
        made = (f"<{tag}{' class=n' * n}>{_cell(v)}</{tag}>" for v, n in zip(row, numeric, strict=True))
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(cells("td", row) for row in rows)
    return f'<div class="scroll"><table><thead>{cells("th", head)}</thead><tbody>{body}</tbody></table></div>'


def raw(value: str) -> str:
    """Return text marked as HTML, for `table`."""
    return _Safe(value)


def unbroken(value: str) -> str:
    """Return a cell of `table` that stays on one line."""
    return raw(text(value).replace(" ", "&nbsp;"))


def _cell(value: object) -> str:
    if isinstance(value, _Safe):
        return value
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else text(value)


def tiles(values: Mapping[str, object]) -> str:
    """Return a row of headline figures."""
    made = (f'<div class="tile"><b>{_cell(v)}</b><span class="soft">{text(k)}</span></div>' for k, v in values.items())
    return f'<div class="tiles">{"".join(made)}</div>'


def figure(drawing: Figure, alt: str) -> str:
    """Return a matplotlib figure as an inline SVG with its description; the figure is closed."""
    buffer = io.StringIO()
    drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(drawing)
    svg = re.sub(r"^.*?<svg", "<svg", buffer.getvalue(), count=1, flags=re.S)
    # Several drawings share one page: their ids must not meet.
    mark = f"f{crc32(alt.encode())}-"
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{mark}", svg)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{text(alt)}"', 1)
    return f'<figure class="plot">{svg}<figcaption>{text(alt)}</figcaption></figure>'


def picture(pixels: np.ndarray, alt: str) -> str:
    """Return a picture (uint8 RGB) as an inline JPEG with its description."""
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    encoded = base64.b64encode(data.tobytes()).decode()
    size = f'width="{pixels.shape[1]}" height="{pixels.shape[0]}"'
    return (
        f'<figure><img {size} alt="{text(alt)}" src="data:image/jpeg;base64,{encoded}">'
        f"<figcaption>{text(alt)}</figcaption></figure>"
    )
