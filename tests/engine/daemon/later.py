"""ds01d, by a clock an hour ahead of the machine's: started after another one was killed, it was down for an hour.

Run as a program with ds01d's options. It looks at the life of containers every two seconds, so that a test need not
wait for it; everything else is real, also how fast the time passes.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from ds01.adapters.host.clock import SystemClock
from ds01.daemon import loops, wiring
from ds01.daemon.main import main

HOUR = timedelta(hours=1)
LOOK_SECONDS = 2.0


class Later(SystemClock):
    """An hour from now."""

    def now(self) -> datetime:
        return super().now() + HOUR


if __name__ == "__main__":
    vars(wiring)["SystemClock"] = Later
    vars(loops)["PERIOD_SECONDS"] = LOOK_SECONDS
    sys.exit(main())
