"""``python -m generators`` is ``python -m native_generators``."""

import sys

from native_generators.__main__ import main

if __name__ == '__main__':
    sys.exit(main())
