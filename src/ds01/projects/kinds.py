"""The one registry of project types: what each is for, and the packages it starts with.

``init`` offers them and writes their packages into ds01.toml; after that the project file is the record, and the
type is a word in it. Versions are left to the day of the build.
"""

from __future__ import annotations

from ds01.domain.record import record


@record
class Kind:
    """One type of project."""

    name: str
    purpose: str
    packages: tuple[str, ...] = ()

    @property
    def example(self) -> str:
        """The program it starts with, which needs no more than ``packages``; ``""`` for a type without packages."""
        return self.name if self.packages else ""


EVERYWHERE = ("numpy", "pandas", "matplotlib", "jupyterlab", "ipykernel", "tqdm")
"""What every type but ``blank`` has, unless ``--lean``."""

_KINDS = (
    Kind(
        name="ml",
        purpose="classical machine learning",
        packages=("scikit-learn", "xgboost", "lightgbm", "optuna", "shap"),
    ),
    Kind(
        name="cv",
        purpose="computer vision",
        packages=("torchvision", "timm", "albumentations", "opencv-python-headless"),
    ),
    Kind(
        name="nlp",
        purpose="language models, training and evaluation",
        packages=("transformers", "datasets", "tokenizers", "accelerate", "peft", "evaluate"),
    ),
    Kind(name="rl", purpose="reinforcement learning", packages=("gymnasium", "stable-baselines3")),
    Kind(name="audio", purpose="speech and sound", packages=("librosa", "soundfile")),
    Kind(name="ts", purpose="time series", packages=("statsmodels", "prophet", "darts")),
    Kind(
        name="llm",
        purpose="large language models, fine-tuned on few GPUs",
        packages=("transformers", "accelerate", "peft", "bitsandbytes"),
    ),
    Kind(name="data", purpose="data analysis", packages=("pandas", "polars", "duckdb")),
    Kind(name="blank", purpose="no packages, no folders: the project file and a README"),
)
KINDS = {kind.name: kind for kind in _KINDS}
DEFAULT = "data"


def packages(kind: Kind, *, lean: bool = False) -> tuple[str, ...]:
    """The packages a new project of this type lists."""
    if lean or kind.name == "blank":
        return kind.packages
    own = tuple(name for name in kind.packages if name not in EVERYWHERE)
    return (*EVERYWHERE, *own)
