"""Draw the pictures of this folder:  python docs/concepts/draw.py

Boxes, arrows and bars, in colours that can be read on light and on dark pages.
"""

from pathlib import Path

HERE = Path(__file__).parent
INK, BLUE, ORANGE, GREEN, RED = '#7d8590', '#2f81f7', '#d98c1f', '#2da160', '#d9534f'


class Picture:
    def __init__(self, name: str, title: str, width: int, height: int) -> None:
        self.name, self.height = name, height
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        font = 'font-family="sans-serif" font-size="14" role="img"'
        tip = 'id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
            f'<title>{title}</title>',
            f'<defs><marker {tip} orient="auto">',
            f'<path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>',
        ]

    def text(self, x: int, y: int, text: str, colour: str = INK, anchor: str = 'middle') -> None:
        self.parts.append(
            f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{text}</text>'
        )

    def box(self, x: int, y: int, width: int, text: str, colour: str = BLUE) -> None:
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="40" rx="6" fill="{colour}" '
            f'fill-opacity="0.15" stroke="{colour}"/>'
        )
        self.text(x + width // 2, y + 25, text, colour)

    def arrow(self, *points: int, dashed: bool = False) -> None:
        path = 'M' + 'L'.join(f'{x} {y}' for x, y in zip(points[::2], points[1::2], strict=True))
        dash = ' stroke-dasharray="5 4"' if dashed else ''
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.5"{dash} '
            'marker-end="url(#tip)"/>'
        )

    def bar(self, x: int, y: int, width: int, colour: str, text: str = '') -> None:
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="22" rx="4" fill="{colour}" '
            f'fill-opacity="0.3" stroke="{colour}"/>'
        )
        if text:
            self.text(x + width // 2, y + 16, text, colour)

    def save(self) -> None:
        (HERE / f'{self.name}.svg').write_text('\n'.join([*self.parts, '</svg>', '']), 'utf-8')


def data_flow() -> None:
    p = Picture('data_flow', 'From a source to your code, and back', 720, 170)
    for x, width, text in (
        (10, 110, 'source'),
        (160, 110, 'fields'),
        (310, 110, 'values'),
        (460, 110, 'rows'),
        (610, 100, 'your code'),
    ):
        p.box(x, 20, width, text, ORANGE if text in ('source', 'your code') else BLUE)
    for x in (120, 270, 420, 570):
        p.arrow(x, 40, x + 38, 40)
    for x, width, text in ((610, 100, 'your rows'), (385, 110, 'text'), (160, 110, 'chunks')):
        p.box(x, 105, width, text, ORANGE if text == 'your rows' else GREEN)
    p.box(10, 105, 110, 'server', ORANGE)
    p.arrow(610, 125, 497, 125)
    p.arrow(385, 125, 272, 125)
    p.arrow(160, 125, 122, 125)
    p.text(360, 85, 'csv_rows reads, csv_encode writes: nothing is held but the part in work')
    p.save()


def life() -> None:
    p = Picture('life', 'The life of a stream', 720, 190)
    p.box(10, 30, 130, 'made', BLUE)
    p.box(250, 30, 150, 'gives items', GREEN)
    p.box(540, 30, 160, 'ended, closed', INK)
    p.arrow(140, 50, 248, 50)
    p.text(194, 42, 'first step')
    p.arrow(400, 50, 538, 50)
    p.text(468, 42, 'end or error')
    p.arrow(345, 30, 345, 12, 305, 12, 305, 28)
    p.text(365, 14, 'next', anchor='start')
    p.arrow(75, 70, 75, 150, 620, 150, 620, 72, dashed=True)
    p.arrow(325, 70, 325, 148, dashed=True)
    p.text(350, 172, 'close(), throw(), or nobody holds it: the source is closed too')
    p.save()


def client_leaves() -> None:
    p = Picture('client_leaves', 'A client leaves in the middle of a download', 720, 210)
    for y, name in ((30, 'client'), (75, 'server task'), (120, 'stream'), (165, 'source')):
        p.text(105, y + 16, name, anchor='end')
    p.bar(120, 30, 230, ORANGE, 'reads')
    p.bar(120, 75, 290, BLUE, 'sends chunks')
    p.bar(120, 120, 330, GREEN, 'close_with_task=True')
    p.bar(120, 165, 330, GREEN, 'a query')
    p.bar(452, 165, 70, RED, 'finally')
    p.arrow(350, 41, 408, 41, 408, 73)
    p.text(420, 38, 'leaves: the server cancels its task', anchor='start')
    p.arrow(410, 86, 448, 86, 448, 118)
    p.text(460, 90, 'the task ends: the stream closes', anchor='start')
    p.arrow(450, 131, 485, 131, 485, 163)
    p.text(535, 180, 'the cursor is closed', anchor='start')
    p.save()


def amap() -> None:
    p = Picture('amap', 'amap with three calls at once', 720, 230)
    p.box(10, 85, 110, 'source', ORANGE)
    p.arrow(120, 105, 178, 105)
    p.text(65, 75, 'one at a time')
    for i, (width, colour) in enumerate(((120, BLUE), (60, GREEN), (150, BLUE))):
        p.bar(185, 50 + 40 * i, width, colour, f'call {i + 1}')
    p.text(260, 200, 'concurrency=3: so many calls run')
    p.arrow(345, 105, 398, 105)
    for i, colour in enumerate((BLUE, GREEN, BLUE, INK)):
        p.bar(405 + 45 * i, 94, 38, colour, str(i + 1) if i < 3 else '')
    p.text(495, 150, 'buffersize: results in their order')
    p.text(495, 172, '2 is ready, and waits for 1')
    p.arrow(588, 105, 608, 105)
    p.box(612, 85, 98, 'async for', ORANGE)
    p.save()


def dispatch() -> None:
    p = Picture('dispatch', 'An event goes to its handlers in order', 720, 220)
    p.box(10, 85, 140, "emit('order')", ORANGE)
    p.box(220, 85, 120, 'Dispatcher', BLUE)
    p.arrow(150, 105, 218, 105)
    for i, (text, colour) in enumerate(
        (
            ('1  generator: data = yield', GREEN),
            ('2  async def handler', GREEN),
            ('3  background: own task', BLUE),
        )
    ):
        p.box(430, 20 + 60 * i, 250, text, colour)
        p.arrow(340, 105, 428, 40 + 60 * i, dashed=i == 2)
    p.text(280, 150, 'one after the other;')
    p.text(280, 170, 'a failure goes to')
    p.text(280, 190, "the 'error' handlers")
    p.text(555, 205, 'has a buffer, holds up nobody')
    p.save()


for draw in (data_flow, life, client_leaves, amap, dispatch):
    draw()
