"""Compare what gcovr found uncovered with the list of docs/coverage.md.

    python tools/uncovered.py coverage.json [docs/coverage.md]

The JSON is gcovr's own (--json).  The list names functions, each with how many of its lines the
suite does not run, under the reason why; so it holds when lines move.  It fails, and says which
lines, where functions have more of them than the list explains.  Where more runs than the list
says, that is named, too.  --slack lets so many lines pass: timing decides what some races run.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / 'docs' / 'coverage.md'
ROW = re.compile(r'\| `(src/[^`]+)` \| `(\w+)` \| (\d+) \|')

Function = tuple[str, str]


def listed(path: Path) -> dict[Function, int]:
    """How many lines of each function are explained; a function may stand under two reasons."""
    counts: dict[Function, int] = defaultdict(int)
    for file, function, count in ROW.findall(path.read_text('utf-8')):
        counts[file, function] += int(count)
    return counts


def percent(part: int, whole: int) -> str:
    return f'{100 * part / whole:.1f} %' if whole else 'none'


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('found', type=Path)
    parser.add_argument('list', type=Path, nargs='?', default=LIST)
    parser.add_argument('--slack', type=int, default=0, help='lines, since timing decides some')
    options = parser.parse_args()

    explained = listed(options.list)
    uncovered: dict[Function, list[int]] = defaultdict(list)
    lines = branches = run = taken = 0
    for file in json.loads(options.found.read_text('utf-8'))['files']:
        # Core is compiled twice, and a line may be named twice.
        seen: dict[int, tuple[str, int]] = {}
        for line in file['lines']:
            number = line['line_number']
            count = line['count'] + seen.get(number, ('', 0))[1]
            function = line.get('function_name') or ''
            # gcovr has no name for a function of a header that it met in two ways.
            seen[number] = 'inlined' if not function.isidentifier() else function, count
            branches += len(line['branches'])
            taken += sum(branch['count'] > 0 for branch in line['branches'])
        for number, (function, count) in seen.items():
            if count == 0:
                uncovered[file['file'], function].append(number)
        lines += len(seen)
        run += sum(count > 0 for _, count in seen.values())

    unexplained = 0
    for (file, function), numbers in sorted(uncovered.items()):
        if len(numbers) <= explained[file, function]:
            continue
        unexplained += len(numbers) - explained[file, function]
        source = (ROOT / file).read_text('utf-8').splitlines()
        print(f'{file}: {function}: {len(numbers)} not run, {explained[file, function]} explained')
        for number in numbers:
            print(f'    {number}: {source[number - 1].strip()}')
    for (file, function), count in sorted(explained.items()):
        if len(uncovered[file, function]) < count:
            now = len(uncovered[file, function])
            print(f'{file}: {function}: {now} not run, {count} listed: more than need be')

    total = lines - run
    print(
        f'C: {percent(run, lines)} of {lines} lines, {percent(taken, branches)} of branches; '
        f'of {total} lines not run {unexplained} are not explained in {options.list.name}'
    )
    return 1 if unexplained > options.slack else 0


if __name__ == '__main__':
    sys.exit(main())
