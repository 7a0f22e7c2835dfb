"""Bars on a logarithmic scale, as SVG that reads on light and dark pages."""

from html import escape
from math import floor, log10

_COLOURS = ("#2f81f7", "#d29922", "#8b949e")
_LEFT, _BAR, _GAP, _WIDTH = 90, 14, 16, 720


def draw(title, unit, groups):
    """Draw `{group: {name: value or None}}`; a value that is None was not reached."""
    title = f"{title}, log scale"
    names = list(next(iter(groups.values())))
    values = [value for group in groups.values() for value in group.values() if value]
    least = 10 ** floor(log10(min(values)))
    scale = (_WIDTH - _LEFT - 110) / log10(max(values) / least)
    top, rows = 58, []
    for group, bars in groups.items():
        middle = top + len(bars) * _BAR / 2 + 4
        rows.append(f'<text x="{_LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(group)}</text>')
        for colour, (name, value) in zip(_COLOURS, bars.items(), strict=False):
            length = max(2.0, log10(value / least) * scale) if value else 2.0
            number = f"{value or 0:,.0f}" if (value or 0) >= 1000 else f"{value or 0:.3g}"
            text = f"{number} {unit}" if value else "too slow"
            rows.append(f'<rect x="{_LEFT}" y="{top}" width="{length:.0f}" height="{_BAR - 3}" rx="2" fill="{colour}">')
            rows.append(f"<title>{escape(name)}: {text}</title></rect>")
            rows.append(f'<text x="{_LEFT + length + 6:.0f}" y="{top + 10}">{text}</text>')
            top += _BAR
        top += _GAP
    legend = "".join(
        f'<rect x="{_LEFT + 200 * place}" y="32" width="10" height="10" rx="2" fill="{colour}"/>'
        f'<text x="{_LEFT + 15 + 200 * place}" y="41">{escape(name)}</text>'
        for place, (colour, name) in enumerate(zip(_COLOURS, names, strict=False))
    )
    style = "text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-size:14px;font-weight:600}"
    dark = "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img" aria-label="{escape(title)}">'
        f'<style>{style}{dark}</style><text class="t" x="{_LEFT}" y="20">{escape(title)}</text>'
        f"{legend}{''.join(rows)}</svg>\n"
    )
