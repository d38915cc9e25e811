"""Names: what users may type, and what the engine stores.

A container, a volume or a network is stored as ``<name>._.<uid>`` and an image as ``ds01-<uid>/<project>``, so that
two users never collide and nobody has to know it. Ownership never follows from a name: it is a uid in the ledger.
"""

from __future__ import annotations

from ds01.domain.errors import BAD_NAME, Ds01Error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_LENGTH = 40
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def is_name(text: str) -> bool:
    """Whether ``text`` can name a project or a container."""
    return 0 < len(text) <= NAME_LENGTH and text[0] != "-" and _LETTERS.issuperset(text)


def corrected(text: str) -> str:
    """The nearest usable name, or ``""`` when nothing of it can be kept."""
    kept = "".join(letter if letter in _LETTERS else "-" for letter in text.lower())
    return "-".join(filter(None, kept.split("-")))[:NAME_LENGTH].rstrip("-")


def checked(text: str, what: str = "name") -> str:
    """``text`` when it is a usable name; otherwise an error that offers the corrected form."""
    if is_name(text):
        return text
    better = corrected(text)
    raise Ds01Error(
        BAD_NAME,
        f"'{text}' cannot be a {what}.",
        reason="Names have 1 to 40 lower-case letters, digits and hyphens, and start with a letter or digit.",
        hint=f"Use '{better}' instead." if better else "Choose another name, for example 'thesis'.",
    )


def step_host(uid: int) -> str:
    """The host name in every step of a BuildKit build that says whose it is; it leads nowhere."""
    return f"ds01-u{uid}"


GLASS_SOCKET = "admin.sock"
"""In the run folder: the way past the gateway, for admins who opened it."""


def own_door(uid: int, epoch: int) -> str:
    """Where an account's own socket of the gateway is, below the folder of all such sockets. Whoever has the uid next
    has another, so what the former owner left finds nobody at hers.
    """
    return f"{uid}-{epoch}/docker.sock"


def stored_container(name: str, uid: int) -> str:
    """The engine's name of a container."""
    return f"{name}._.{uid}"


def plain_container(stored: str, uid: int) -> str:
    """What this user calls a container of hers that is stored so."""
    return stored.removesuffix(stored_container("", uid))


def stored_volume(name: str, uid: int) -> str:
    """The engine's name of a volume."""
    return f"{name}._.{uid}"


def plain_volume(stored: str, uid: int) -> str:
    """What this user calls a volume of hers that is stored so."""
    return stored.removesuffix(stored_volume("", uid))


def stored_network(name: str, uid: int) -> str:
    """The engine's name of a network a user made."""
    return f"{name}._.{uid}"


def image_repository(uid: int, project: str) -> str:
    """The repository of a project's image."""
    return f"ds01-{uid}/{project}"


def image_reference(uid: int, project: str) -> str:
    """A project's image as it is now: its latest build."""
    return f"{image_repository(uid, project)}:latest"


def user_network(uid: int) -> str:
    """The engine's name of a user's own bridge network, which only her containers are on."""
    return f"ds01-u{uid}"


def nearest(text: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name somebody probably meant; none is less alike than ``cutoff``, of 1."""
    import difflib  # slow to import, and only a mistake needs it

    found = difflib.get_close_matches(text, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def login_inside(login: str) -> str:
    """The user's name inside a container: the login's local part, in the characters every image accepts.

    ``h.baker@lab.lan`` gives ``h_baker``, ``204214@lab.lan`` gives ``u204214``, ``root@lab.lan`` gives ``uroot``. At
    most 32 characters. It is for display only, one container has one user: uniqueness comes from the uid.
    """
    local = login.split("@", 1)[0].lower()
    clean = "".join(letter if letter in _LETTERS else "_" for letter in local)
    if not clean or not (clean[0].isalpha() or clean[0] == "_") or (clean == "root" and clean != login):
        clean = "u" + clean
    return clean[:32]
