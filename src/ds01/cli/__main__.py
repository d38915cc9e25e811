"""``python -m ds01.cli``: the same as ``ds01``."""

import sys

from ds01.cli.main import run

sys.exit(run(sys.argv[1:]))
