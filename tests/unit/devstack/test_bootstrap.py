"""scripts/bootstrap on machines that lack something, played by stand-ins for python3 and uv (no network)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from devstack.paths import root

TOOLS = ("sh", "basename", "dirname", "cat", "cksum", "tail", "mkdir", "rm", "chmod", "uname")

PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
case "$*" in
  -V) echo "Python 3.11.2" ;;
  "-c import sys, sysconfig"*) exit {plain} ;;
  "-c import sys"*) exit {old} ;;
  "-m pip --version") exit {no_pip} ;;
  "-m venv"*) exit {no_venv} ;;
  "-m pip --python"*) mkdir -p .uv/bin; cat uv-stand-in > .uv/bin/uv; chmod +x .uv/bin/uv ;;
  *--target*) mkdir -p .uv/packages/bin; cat uv-stand-in > .uv/packages/bin/uv; chmod +x .uv/packages/bin/uv ;;
esac
"""

UV = """#!/bin/sh
echo "uv $*" >> calls
case "$*" in
  --version) echo "uv {version}" ;;
  sync*) mkdir -p .venv/bin; echo > .venv/bin/trellis; chmod +x .venv/bin/trellis ;;
esac
"""


class Machine:
    """A clone in a folder with a space in its name, and a PATH that we know."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "my clone"
        self.bin = folder / "bin"
        (self.clone / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        shutil.copy(root() / "scripts" / "bootstrap", self.clone / "scripts")
        for project in ("pyproject.toml", "libs/a/pyproject.toml", "services/b/pyproject.toml", "uv.lock"):
            (self.clone / project).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / project).write_text("")
        (self.clone / "uv-stand-in").write_text(UV.format(version="0.13.9"))

    def has_python(self, name: str = "python3", **lacks: bool) -> None:
        """`lacks`: whether it is `old` or a `plain` build, has `no_pip`, `no_venv`."""
        found = {one: int(lacks.get(one, False)) for one in ("old", "plain", "no_pip", "no_venv")}
        self._script(name, PYTHON.format(**found))

    def has_uv(self, version: str) -> None:
        self._script("uv", UV.format(version=version))

    def bootstrap(self) -> subprocess.CompletedProcess[str]:
        command = [self.bin / "sh", self.clone / "scripts" / "bootstrap"]
        environment = {"PATH": str(self.bin), "HOME": os.environ.get("HOME", "/")}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def calls(self) -> str:
        log = self.clone / "calls"
        return log.read_text() if log.exists() else ""

    def _script(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_pip_works_on_the_new_environment_from_outside(machine: Machine) -> None:
    machine.has_python()
    done = machine.bootstrap()
    assert done.returncode == 0, done.stderr
    assert "-m venv --without-pip .uv" in machine.calls()
    assert "sync --quiet --frozen --all-groups" in machine.calls()


def test_without_venv_it_goes_into_a_folder(machine: Machine) -> None:
    machine.has_python(no_venv=True)
    assert machine.bootstrap().returncode == 0
    assert "--target .uv/packages" in machine.calls()


def test_the_second_time_nothing_is_done_until_the_lock_changes(machine: Machine) -> None:
    machine.has_python()
    machine.bootstrap()
    assert machine.calls().count("sync") == 1
    assert machine.bootstrap().returncode == 0
    assert machine.calls().count("sync") == 1
    (machine.clone / "uv.lock").write_text("changed")
    machine.bootstrap()
    assert machine.calls().count("sync") == 2


def test_a_fitting_uv_on_the_path_is_used(machine: Machine) -> None:
    machine.has_python()
    machine.has_uv("0.13.2")
    assert machine.bootstrap().returncode == 0
    assert "pip" not in machine.calls()


def test_another_uv_on_the_path_is_not(machine: Machine) -> None:
    machine.has_python()
    machine.has_uv("0.4.1")
    assert machine.bootstrap().returncode == 0
    assert "-m pip --python" in machine.calls()


def test_a_python_built_with_a_profile_is_taken_before_another(machine: Machine) -> None:
    machine.has_python(plain=True)
    machine.has_python("python3.12")
    assert machine.bootstrap().returncode == 0
    assert f"--python {machine.bin}/python3.12" in machine.calls()


def test_what_there_is_does_where_none_was_and_pip_may_be_anothers(machine: Machine) -> None:
    machine.has_python(plain=True, no_pip=True)
    machine.has_python("python3.12", plain=True)
    assert machine.bootstrap().returncode == 0
    assert f"--python {machine.bin}/python3\n" in machine.calls()
    assert "python3.12 -m pip --python" in machine.calls()


@pytest.mark.parametrize(
    ("lacking", "line"), [("python", "Python 3.11 or newer is missing"), ("pip", "pip is missing")]
)
def test_what_lacks_gets_one_line(machine: Machine, lacking: str, line: str) -> None:
    machine.has_python(old=lacking == "python", no_pip=lacking == "pip")
    done = machine.bootstrap()
    assert done.returncode == 1
    assert done.stderr.startswith(f"trellis: {line}")
    assert "apt-get install" in done.stderr
    assert done.stderr.count("\n") == 1
