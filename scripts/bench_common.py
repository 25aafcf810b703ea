"""What the comparisons with PyTorch share: building our side, and running either side under the same conditions."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(8 << 30), "MALLOC_TRIM_THRESHOLD_": str(16 << 30)}
"""glibc keeps freed memory, as the trainer tells it itself (`cli/src/memory.rs`)."""


def build(selection: list[str], name: str) -> str:
    """The program `name` that `cargo` makes of a `selection` such as `["build", "--release", "-p", "trainer"]`."""
    command = ["cargo", *selection, "--message-format", "json"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines if line.startswith("{"))
    return next(m["executable"] for m in messages if m.get("target", {}).get("name") == name and m.get("executable"))


def run(command: list, threads: int) -> dict:
    """The JSON that a program prints, in a process of its own with so many threads."""
    variables = {"RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), **KEEP_MEMORY}
    done = subprocess.run([str(part) for part in command], env=os.environ | variables, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def peak_bytes() -> int | None:
    """The most memory that this process has had resident, where the system says so."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
