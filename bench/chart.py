"""Bars of who answers how much, as SVG."""

from html import escape

WIDTH, LEFT, BAR, GAP = 920, 200, 11, 7
# Ours, its memory, the peers in their order; readable in black and white too.
COLORS = ['#0f766e', '#5eead4', '#475569', '#94a3b8', '#b45309', '#7c3aed']
FONT = 'font-family="system-ui, sans-serif"'


def text(x, y, words, size=11, anchor='start', weight='400'):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" {FONT} '
            f'text-anchor="{anchor}" font-weight="{weight}" fill="#1e293b">'
            f'{escape(words)}</text>')


def bars(title, rows, y):
    """rows: (label, color, [(value, least, most)]); the parts of a row are
    drawn below each other, the later paler."""
    out = [text(8, y + 12, title, 13, weight='600')]
    y += 22
    largest = max(most for _, _, values in rows for _, _, most in values) or 1
    scale = (WIDTH - LEFT - 110) / largest
    for label, color, values in rows:
        out.append(text(LEFT - 8, y + len(values) * BAR / 2 + 4, label,
                        anchor='end'))
        for n, (value, least, most) in enumerate(values):
            middle = y + BAR / 2 - 0.5
            out += [
                f'<rect x="{LEFT}" y="{y:.1f}" width="{value * scale:.1f}" '
                f'height="{BAR - 1}" fill="{color}" '
                f'fill-opacity="{1 if n == 0 else 0.6}"/>',
                f'<path d="M{LEFT + least * scale:.1f} {middle:.1f}H'
                f'{LEFT + most * scale:.1f}" stroke="#1e293b"/>',
                text(LEFT + most * scale + 6, y + BAR - 2,
                     f'{value:,.0f}' if value >= 100 else f'{value:.1f}', 10)]
            y += BAR
        y += GAP
    return out, y + 12


def draw(results, memory):
    """results: (endpoint, clients) -> contest; memory: the table's rows."""
    names = []
    for contest in results.values():
        names += [n for n in contest.entries if n not in names]
    names.sort(key=lambda n: (not n.startswith('reklam'), 0))
    color = dict(zip(names, COLORS if 'reklam, from memory' in names
                     else COLORS[:1] + COLORS[2:]))
    found = {}
    for (endpoint, clients), contest in results.items():
        for name in contest.entries:
            rates = [r.rate for r in contest.entries[name][1]]
            found.setdefault(endpoint, {}).setdefault(name, []).append(
                (contest.median(name).rate, min(rates), max(rates)))
    numbers = list(dict.fromkeys(c for _, c in results))
    out, y = [text(8, 22, 'Requests a second by ' + ' and '.join(
        f'{c} clients' for c in numbers) + (
        ' (paler)' if len(numbers) > 1 else '') + '; more is better', 14,
        weight='600')], 40
    for endpoint, rows in found.items():
        part, y = bars(endpoint, [(n, color[n], v)
                                  for n, v in rows.items()], y)
        out += part
    part, y = bars('Memory, MiB; less is better', [
        (row[0], color.get(row[0], COLORS[0]), [(float(row[3]),) * 3])
        for row in memory[1:]], y)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{y:.0f}" viewBox="0 0 {WIDTH} {y:.0f}">\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n'
            + '\n'.join(out + part) + '\n</svg>\n')
