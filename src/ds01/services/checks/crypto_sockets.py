"""Can a program in a container reach the kernel's ciphers, through which files of others were written?"""

from __future__ import annotations

from ds01.domain.engine_versions import FILTER_FIXED, numbers
from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World

FIX = (
    "Upgrade the kernel or the engine (29.4.3), or close them: "
    "printf 'install af_alg /bin/false\\ninstall algif_aead /bin/false\\n' > /etc/modprobe.d/ds01.conf"
)


async def _run(world: World) -> Finding:
    if not await world.facts.crypto_sockets():
        return ok("The kernel gives nobody sockets to its ciphers.")
    try:
        engine = (await world.engine.version()).engine
    except Ds01Error as error:
        return warning(f"Not looked at. {error.problem.message}", "See the check 'engine'.")
    if numbers(engine) >= FILTER_FIXED:
        return ok(f"Docker engine {engine} closes the kernel's ciphers to containers.")
    return warning(
        "Containers reach the kernel's ciphers (AF_ALG); on a kernel without the mend for CVE-2026-31431 a user of it "
        "can become root.",
        FIX,
    )


CHECK = Check(about="containers do not reach the kernel's ciphers", run=_run)
