"""Measures a Jupyter server without a notebook, for the limit of a hub: writes deploy/measured.json."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

FILE = Path(__file__).resolve().parents[1] / "deploy" / "measured.json"
MARGIN = 1.5  # of the largest chapter: a second small kernel, and what a learner tries out
PORT, TOKEN, PATIENCE = 18_888, "measure", 60


def server_gib() -> float:
    """Resident memory of JupyterLab's server and its children after it has served the start page."""
    call = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--port={PORT}",
        f"--IdentityProvider.token={TOKEN}",
    ]
    server = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=FILE.parents[1])
    try:
        for _ in range(PATIENCE):
            time.sleep(1)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/lab?token={TOKEN}", timeout=5)
                break
            except OSError:
                continue
        else:
            raise SystemExit("hub_memory: the server did not answer")
        root = psutil.Process(server.pid)
        return sum(p.memory_info().rss for p in [root, *root.children(recursive=True)]) / 2**30
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    FILE.write_text(
        json.dumps({"server_gib": round(server_gib(), 2), "margin": MARGIN}) + "\n", encoding="utf-8"
    )
    print(FILE.read_text(encoding="utf-8"), end="")
