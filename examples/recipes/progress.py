"""Progress: of a file by its bytes, with tqdm; of calls by their number, with rich."""

from rich.progress import Progress
from tqdm import tqdm

from generators import amap, csv_rows


def rows_with_a_bar(path, **bar):
    """The rows of a CSV file.  What is compressed counts as it lies on the disk."""
    rows = csv_rows(path)
    with rows, tqdm(total=rows.total_bytes, unit='B', unit_scale=True, **bar) as shown:
        for number, row in enumerate(rows):
            yield row
            if number % 1000 == 0:
                shown.update(rows.bytes_read - shown.n)
        shown.update(rows.bytes_read - shown.n)


async def results_with_a_bar(call, items, console=None):
    """The results of a call for each of a list of items."""
    with Progress(console=console) as progress:
        bar = progress.add_task('calls', total=len(items))
        async with amap(call, items) as results:
            async for result in results:
                progress.update(bar, completed=results.items)
                yield result
