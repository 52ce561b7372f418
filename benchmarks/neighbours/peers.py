"""implicit and sparse_dot_topn, in a virtual environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

VERSIONS = ("implicit==0.7.3", "sparse-dot-topn==1.2.0")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def python(library: str) -> str:
    """The Python that has ``library``: for "ours" this one, else the peers', whose environment is
    made on first use (PyPI is asked once).
    """
    if library == "ours":
        return sys.executable
    home = Path.home() / ".cache" / "equipoise"
    folder = Path(os.environ.get("EQUIPOISE_PEERS") or home / "peers") / "-".join(VERSIONS)
    interpreter, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *VERSIONS], check=True)
        ready.touch()
    return str(interpreter)
