"""Where the fold's machine code is kept, and how it comes there: `python -m learner_profile.parameters.machine_code`.

numba keeps it beside the sources, or in `NUMBA_CACHE_DIR`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from learner_model.additive import compiled, kernel
from learner_model.additive.exercise import exercise, fold_once


def is_ready() -> bool:
    """Whether it is there, for these sources and this Python."""
    return _note().exists()


def load() -> kernel.Kernel:
    """What is there, ready to run; two seconds of this process's time.

    numba reads from no cache that it could not write to: where the image is read-only, from a copy.
    """
    if not os.access(_cache(), os.W_OK):
        copy = Path(tempfile.mkdtemp(prefix="trellis-machine-code-"))
        shutil.copytree(_cache(), copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
        os.environ["NUMBA_CACHE_DIR"] = str(copy)
    loaded = kernel.machine()
    fold_once(loaded)
    return loaded


def make_beside() -> subprocess.Popen[bytes]:
    """Compile in a process of its own, behind everything else; `is_ready` when it has ended well."""
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)  # noqa: S603 - our own module


def main() -> None:
    """Run each function once, as production calls it, and note that it is kept."""
    os.nice(19)
    exercise(kernel.machine())
    _note().parent.mkdir(parents=True, exist_ok=True)
    _note().touch()


def _cache() -> Path:
    return Path(os.environ.get("NUMBA_CACHE_DIR") or Path(compiled.__file__).parent / "__pycache__")


def _note() -> Path:
    return _cache() / f"compiled-{kernel.stamp()}-{sys.implementation.cache_tag}"


if __name__ == "__main__":
    main()
