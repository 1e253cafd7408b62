"""The layers hold, and the contracts that keep them have been seen to fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIGURATION["contracts"]}

#: By contract, an import that it forbids: the module that gets it, and the line.
FORBIDDEN = {
    "apps": ("staff/zones.py", "import tickets.models"),
    "tests": ("desk/rail.py", "import tests.house"),
    "circles": ("escalation/roster.py", "import escalation.cases"),
    "inside-helpdesk": ("helpdesk/supervisor.py", "import helpdesk.embedded"),
    "inside-desk": ("desk/rail.py", "import desk.triage"),
    "inside-escalation": ("escalation/models/policy.py", "import escalation.review"),
    "inside-tickets": ("tickets/timeline.py", "import tickets.intake"),
    "inside-inbound": ("tickets/inbound/decoding.py", "import tickets.inbound.child"),
    "inside-training": ("training/coursetext.py", "import training.models"),
    "inside-notifications": ("notifications/models.py", "import notifications.delivery"),
    "inside-staff": ("staff/businesstime.py", "import staff.models"),
    "pure-rules": ("escalation/ticketfacts.py", "import tickets.models"),
    "pure-business-time": ("staff/durations.py", "from django.utils import timezone"),
    "pure-search": ("desk/search/query.py", "from django.utils import timezone"),
    "mail-child": ("tickets/inbound/__init__.py", "from django.conf import settings"),
}


class Tree:
    """A copy of our packages, to break."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "pyproject.toml", folder)
        for package in CONFIGURATION["root_packages"]:
            shutil.copytree(ROOT / package, folder / package, ignore=self._all_but_python)

    @staticmethod
    def _all_but_python(folder: str, names: list[str]) -> set[str]:
        return {
            name
            for name in names
            if name == "__pycache__"
            or not (Path(folder, name).is_dir() or Path(name).suffix == ".py")
        }

    def add(self, module: str, line: str) -> None:
        with (self.folder / module).open("a") as file:
            file.write(f"\n{line}\n")

    def broken(self) -> set[str]:
        """The ids of the contracts that import-linter finds broken."""
        done = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        )
        said = done.stdout + done.stderr
        found = {key for key, contract in CONTRACTS.items() if f"{contract['name']} BROKEN" in said}
        assert done.returncode == (1 if found else 0), said
        return found


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_every_import_goes_down(tree: Tree) -> None:
    assert tree.broken() == set()


def test_every_contract_has_been_given_an_import_to_forbid() -> None:
    assert set(FORBIDDEN) == set(CONTRACTS)


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_contract_fails_when_it_is_broken(tree: Tree, contract: str) -> None:
    tree.add(*FORBIDDEN[contract])
    assert contract in tree.broken()


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("pure-business-time", "staff/businesstime.py", "import staff.zones"),
        ("pure-rules", "staff/durations.py", "import psycopg2"),
        ("pure-rules", "escalation/rules.py", "import escalation.reasons"),
        ("mail-child", "tickets/inbound/quoting.py", "import tickets.inbound.contacts"),
    ],
)
def test_purity_sees_what_comes_by_way_of_others(
    tree: Tree, contract: str, module: str, line: str
) -> None:
    tree.add(module, line)
    assert contract in tree.broken()


@pytest.mark.parametrize(
    ("module", "contract"),
    [
        (f"{package}/newcomer.py", f"inside-{package}")
        for package in ("desk", "escalation", "helpdesk", "notifications", "staff", "tickets")
    ],
)
def test_a_new_module_needs_a_place(tree: Tree, module: str, contract: str) -> None:
    tree.add(module, "")
    assert contract in tree.broken()


def test_foreign_keys_follow_the_layers() -> None:
    """Strings name other models, which import-linter cannot see."""
    layers: list[str] = CONTRACTS["apps"]["layers"]
    ours = [model for model in apps.get_models() if model._meta.app_label in layers]
    assert ours
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in ours
        for field in [*model._meta.fields, *model._meta.many_to_many]
        if isinstance(field.related_model, type)
        # An app that is not ours, such as Django's permissions, is below all of ours.
        if field.related_model._meta.app_label in layers
        and layers.index(field.related_model._meta.app_label) < layers.index(model._meta.app_label)
    ]
    assert upward == []
