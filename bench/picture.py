"""Bars as SVG, legible on a light and on a dark page: the picture brings its own background and follows the
reader's colour scheme."""
from html import escape

STYLE = """
    .page { fill: #ffffff; stroke: #d0d7de }
    text { font: 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .head { font-weight: 600 }
    .soft { fill: #59636e }
    .bar { fill: #b6c2cf }
    .ours { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; stroke: #3d444d }
      text { fill: #f0f6fc }
      .soft { fill: #9198a1 }
      .bar { fill: #444c56 }
      .ours { fill: #4493f8 }
    }"""
COLUMN, NAME, LABEL, LINE = 440, 118, 122, 18


def panel(x, y, title, bars, out):
    """Draws one; its height. bars: (name, value or None, label)."""
    longest = max([value for _, value, _ in bars if value is not None], default=1) or 1
    out.append(f'<text class="head" x="{x}" y="{y + 12}">{escape(title)}</text>')
    for i, (name, value, label) in enumerate(bars):
        top = y + 22 + i * LINE
        width = 0 if value is None else max(2, (COLUMN - NAME - LABEL) * value / longest)
        kind = "ours" if name.startswith("ftpfs") else "bar"
        out.append(f'<text x="{x + NAME - 8}" y="{top + 11}" text-anchor="end">{escape(name)}</text>')
        out.append(f'<rect class="{kind}" x="{x + NAME}" y="{top}" width="{width:.1f}" height="{LINE - 4}" rx="2"/>')
        out.append(f'<text class="soft" x="{x + NAME + width + 6:.1f}" y="{top + 11}">{escape(label)}</text>')
    return 22 + len(bars) * LINE + 18


def panels(title, note, parts):
    """An SVG of panels in two columns, filled from the top, always the shorter one. parts: (title, bars)."""
    out, bottoms = [], [70, 70]
    for head, bars in parts:
        column = 0 if bottoms[0] <= bottoms[1] else 1
        bottoms[column] += panel(20 + column * (COLUMN + 30), bottoms[column], head, bars, out)
    width, height = 2 * COLUMN + 70, max(bottoms) + 4
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}\n</style>",
            f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
            f'<text class="title" x="20" y="32">{escape(title)}</text>',
            f'<text class="soft" x="20" y="52">{escape(note)}</text>',
            *out,
            "</svg>\n",
        ]
    )
