"""``python -m generators FILE...``: rows of CSV files, chosen, typed and filtered; see --help."""

import sys

from native_generators._cli import main as main

if __name__ == '__main__':
    sys.exit(main())
