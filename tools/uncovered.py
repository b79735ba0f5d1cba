"""Compare what gcovr found uncovered with the list of docs/coverage.md.

    python tools/uncovered.py [--slack N] [--lines PERCENT] [--branches PERCENT] [--refresh]
        coverage.json [docs/coverage.md]

The JSON is gcovr's own (--json).  The list names functions, each with how many of its lines the
suite does not run, under the reason why; so it holds when lines move.  `up to 3` is said where
timing decides which of them run.  It fails where functions have more lines that nothing runs than
the list explains, which it shows, and where the list explains what the suite does run, which is out
of date.  It also fails where fewer lines or branches are run, in all, than --lines and --branches
say.  --slack lets so many lines of each pass: timing decides what some races run.  --refresh
takes out of the list what is out of date; what is new, somebody has to explain.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / 'docs' / 'coverage.md'
ROW = re.compile(r'\| `(src/[^`]+)` \| `(\w+)` \| (up to )?(\d+) \|.*\n')

Function = tuple[str, str]


def listed(text: str) -> tuple[dict[Function, int], dict[Function, int]]:
    """How many lines of each function are explained at least and at most; a function may stand
    under two reasons.
    """
    least: dict[Function, int] = defaultdict(int)
    most: dict[Function, int] = defaultdict(int)
    for file, function, varies, count in ROW.findall(text):
        most[file, function] += int(count)
        least[file, function] += 0 if varies else int(count)
    return least, most


def refreshed(text: str, uncovered: dict[Function, list[int]]) -> str:
    """Without what is out of date: from each row that is too much, the later ones first."""
    least, _ = listed(text)
    excess = {
        function: count - len(uncovered[function])
        for function, count in least.items()
        if count > len(uncovered[function])
    }
    rows = []
    for row in reversed(list(ROW.finditer(text))):
        file, function, varies, count = row.groups()
        less = 0 if varies else min(int(count), excess.get((file, function), 0))
        if less:
            excess[file, function] -= less
            left = int(count) - less
            line = row[0].replace(f' {count} |', f' {left} |', 1) if left else ''
            rows.append((row.span(), line))
    for (start, end), line in rows:
        text = text[:start] + line + text[end:]
    return text


def percent(part: int, whole: int) -> str:
    return f'{100 * part / whole:.1f} %' if whole else 'none'


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('found', type=Path)
    parser.add_argument('list', type=Path, nargs='?', default=LIST)
    parser.add_argument('--slack', type=int, default=0, help='lines that pass')
    parser.add_argument('--lines', type=float, default=0, help='percent that must be run')
    parser.add_argument('--branches', type=float, default=0, help='the same of branches')
    parser.add_argument('--refresh', action='store_true', help='take out what is out of date')
    options = parser.parse_args()

    text = options.list.read_text('utf-8')
    least, explained = listed(text)
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
    stale = 0
    for (file, function), count in sorted(least.items()):
        now = len(uncovered[file, function])
        if now < count:
            stale += count - now
            print(f'{file}: {function}: {now} not run, {count} explained: out of date')
    if options.refresh:
        options.list.write_text(refreshed(text, uncovered), 'utf-8')
        stale = 0

    total = lines - run
    print(
        f'C: {percent(run, lines)} of {lines} lines, {percent(taken, branches)} of branches; '
        f'of {total} lines not run {unexplained} are not explained in {options.list.name}, '
        f'which explains {stale} that are run'
    )
    enough = 100 * run >= options.lines * lines and 100 * taken >= options.branches * branches
    return 0 if enough and max(unexplained, stale) <= options.slack else 1


if __name__ == '__main__':
    sys.exit(main())
