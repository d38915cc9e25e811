"""The example that ships with DS01 loads, says what the built-in limits say, and names every key there is."""

from importlib import resources

from ruamel.yaml import YAML

from ds01.config import shape
from ds01.config.limits import read
from ds01.domain.limit_keys import KEYS
from ds01.domain.limits import BUILT_IN
from ds01.domain.settings import LifecycleRules, Settings

TEXT = (resources.files("ds01.config") / "limits.example.yaml").read_text(encoding="utf-8")


def uncommented() -> str:
    """The example with its commented-out settings switched on, and their empty stand-ins out of the way."""
    lines = TEXT.splitlines()
    after = {line: lines[at + 1] if at + 1 < len(lines) else "" for at, line in enumerate(lines)}
    shown = []
    for line in lines:
        setting = line.startswith("#  ")
        stand_in = line.split("#")[0].rstrip().endswith(("{}", "[]")) and after[line].startswith("#  ")
        if setting and not line.startswith("#   built-in"):
            shown.append(line[1:])
        elif stand_in:
            shown.append(line.split("{}")[0].split("[]")[0].rstrip())
        else:
            shown.append(line)
    return "\n".join(shown)


def test_the_example_loads_and_changes_no_default() -> None:
    settings = read(TEXT, "limits.example.yaml")
    assert set(settings.policy.defaults) == set(KEYS) - {"admin"}
    for key, item in settings.policy.defaults.items():
        assert item.value == BUILT_IN[key].value, key
    assert settings.lifecycle == LifecycleRules()
    assert settings.images == Settings().images


def test_what_is_commented_out_in_it_loads_too() -> None:
    settings = read(uncommented(), "limits.example.yaml")
    assert "h.baker@lab.lan" in settings.policy.users
    assert settings.policy.exemptions[0].login == "bob"
    assert [base.name for base in settings.images.bases] == ["minimal", "pytorch", "tensorflow", "cuda-12-6"]
    assert settings.images.ca
    assert settings.images.build_env
    assert settings.shares == ("/data",)


def test_it_names_every_section_and_rule() -> None:
    tree = YAML(typ="safe", pure=True).load(TEXT)
    assert set(tree) == set(shape.File.model_fields)
    assert set(tree["policy"]) == set(shape.Rules.model_fields)
    assert set(tree["gpus"]) == set(shape.Gpus.model_fields)
