"""``python -m generators FILE...``: rows of CSV files, chosen, typed and filtered; see --help."""

import sys

from generators._cli import main

if __name__ == '__main__':
    sys.exit(main())
