"""What ``ds01 admin image minimal`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Make the base 'minimal' on this server: Debian and Python, from no registry (root)",
    options=(
        Option("--from", "FILE", "a tar file that was kept on another server", complete="file", looks="present"),
        Option("--keep", "FILE", "keep the tar file, for another server", complete="file"),
        Option("--engine", "SOCKET", "the engine's own socket", default="where 'ds01 install' put it"),
    ),
    examples=(
        ("ds01 admin image minimal", "make it; again, with today's updates of Debian"),
        ("ds01 admin image minimal --keep /root/minimal.tar", "for a server without a network"),
        ("ds01 admin image minimal --from /root/minimal.tar", "and there"),
        ("ds01 admin image minimal --dry-run", "say whether it is here"),
        ("ds01 image bases", "what else projects can be built on"),
    ),
    about="Takes about a minute and needs mmdebstrap (apt-get install mmdebstrap debian-archive-keyring) and a mirror"
    " of Debian: DS01_DEBIAN_MIRROR names another one than deb.debian.org. The certificates this server trusts are put"
    " into it. Images that were built on the former one go on, and are told to be behind.",
    idea="A project needs something to stand on before anybody has chosen a base: small, and there without a registry.",
    topics=("images",),
    guide=(Step("The base is made from Debian's packages. Have you a tar file already?", asks="--from"),),
    changes=True,
    local=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("image bases", "admin image prefetch", "install"),
)
