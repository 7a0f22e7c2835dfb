"""The documentation builds: every page is in the navigation, every link and anchor leads somewhere."""

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


# Not `--quiet`: it would keep the warnings from `--strict`, too.
def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "site" / "tutorial" / "index.html").exists()
