"""Resolves a project's packages before anything is built: which versions it would take, or which two lines clash.

It runs uv inside the base, on the base's own packages, because only there is it known what they are and what fits
its Python; it reads the index's metadata and fetches no package. The build itself is pip's, as ever, so this is a
forecast: it refuses what certainly cannot be installed and lets pass what it does not understand.
"""

from __future__ import annotations

from collections.abc import Sequence

from ds01.domain.errors import Ds01Error
from ds01.domain.record import record
from ds01.projects import dockerfile, forecast
from ds01.projects.dockerfile import BASE_PACKAGES, CA_FILE, FILES, Contents
from ds01.projects.probe import Probe, printed
from ds01.projects.recipe import Recipe

_PLACE = "/tmp/ds01-trial"  # noqa: S108 - in an image, for one step that is not kept
_LEND = """\
import importlib.metadata as m, os
for d in m.distributions():
    text = d.read_text("METADATA") or d.read_text("PKG-INFO") or str(d.metadata)
    name = (d.metadata["Name"] or "").replace("-", "_") + "-" + (d.version or "") + ".dist-info"
    folder = os.path.join(os.environ["DS01_THERE"], name)
    if text and not os.path.exists(folder):
        os.mkdir(folder)
        open(os.path.join(folder, "METADATA"), "w").write(text)
"""
"""Lends the base's packages to the trial's environment, wherever they lie: uv looks into one folder only."""
_WHERE = "import sysconfig; print(sysconfig.get_path('purelib'))"
_SHELL_LINES = (
    "index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2> /dev/null || true)}",
    'if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi',
    'if [ -n "${PIP_EXTRA_INDEX_URL:-}" ]; then export UV_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX_URL"; fi',
    'if [ -n "${PIP_FIND_LINKS:-}" ]; then export UV_FIND_LINKS="$PIP_FIND_LINKS"; fi',
    'if [ -n "${PIP_TRUSTED_HOST:-}" ]; then export UV_INSECURE_HOST="$PIP_TRUSTED_HOST"; fi',
    "export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 UV_NO_PROGRESS=1 UV_NO_CACHE=1 NO_COLOR=1",
    "export UV_HTTP_TIMEOUT=30 UV_HTTP_RETRIES=1",
)
"""What pip is told by its environment, told to uv."""


@record
class Forecast:
    """What a build would do. ``installs`` are ``name==version``; ``unknown`` is why nothing could be said."""

    installs: tuple[str, ...] = ()
    unknown: str = ""


def resolve(socket: str, recipe: Recipe, project: str) -> Forecast:
    """Resolve. Raises Ds01Error (``image.build``) when the packages cannot be installed together, or at all."""
    if recipe.contents is None or not recipe.contents.asked:
        return Forecast()
    try:
        lines = printed(socket, _probe(recipe.contents, recipe))
    except Ds01Error as error:
        return Forecast(unknown=str(error.problem.reason or error))
    return _read(lines, recipe.contents, project)


def _read(lines: Sequence[str], contents: Contents, project: str) -> Forecast:
    refusal = forecast.refusal(lines, contents.asked, project)
    if refusal is not None:
        raise refusal
    installs = forecast.installs(lines)
    return Forecast(installs=installs) if installs is not None else Forecast(unknown=forecast.last_word(lines))


def _probe(contents: Contents, recipe: Recipe) -> Probe:
    """The first instructions are those of the image itself, so that they are shared with it."""
    steps = [dockerfile.Instruction(text=f"FROM {contents.base}"), *dockerfile.trust(contents)]
    return Probe(
        instructions=(*(step.text for step in steps), *(step.text for step in dockerfile.copied(contents))),
        script=_script(contents),
        files={path: text for path, text in (recipe.context or {}).items() if path in (CA_FILE, *contents.files)},
        environment=recipe.environment,
    )


def _script(contents: Contents) -> str:
    python = f"{_PLACE}/env/bin/python"
    prepared, sources = dockerfile.wanted(contents, "python3")
    options = [
        f'"$uv" pip install --dry-run --no-build --python {python} --index-strategy unsafe-best-match',
        *_options(contents), sources,
    ]  # fmt: skip
    lend = f'export DS01_THERE=$({python} -c "{_WHERE}") && {dockerfile.program(_LEND, "python3")}'
    return (
        f"mkdir -p {FILES} {_PLACE}; {'; '.join(_SHELL_LINES)}; uv=$(command -v uv || echo {_PLACE}/uv/bin/uv); \\\n"
        f"    python3 -m venv --without-pip {_PLACE}/env && {lend} \\\n"
        f' && if [ ! -x "$uv" ]; then {_get_uv()}; fi \\\n'
        f" && {dockerfile.listing('python3')} > {BASE_PACKAGES} && cat {BASE_PACKAGES} \\\n"
        f" && echo {forecast.BEGINS} && {prepared}{' '.join(options)} || echo {forecast.REFUSED}"
    )


def _get_uv() -> str:
    """uv is fetched each time: what fails leaves no layer, so there is none to keep it in. Once, by whichever pip there
    is: without network each try is a wait.
    """
    options = "-q --no-cache-dir --disable-pip-version-check --root-user-action ignore --timeout 30 --retries 1"
    return (
        f"if python3 -m pip --version > /dev/null 2>&1; \\\n"
        f"    then python3 -m pip install {options} --target {_PLACE}/uv uv; \\\n"
        f"    else python3 -m venv {_PLACE}/uv && {_PLACE}/uv/bin/pip install {options} uv; fi"
    )


def _options(contents: Contents) -> list[str]:
    """Those of pip's options that uv does not read from a requirements file."""
    words = []
    for entry in contents.asked:
        if entry.text == "--pre":
            words.append("--prerelease allow")
        elif entry.text.startswith("--trusted-host "):
            words.append(f"--allow-insecure-host {dockerfile.shell_word(entry.text.partition(' ')[2])}")
        elif entry.text == "--require-hashes":
            words.append("--require-hashes")
    return words
