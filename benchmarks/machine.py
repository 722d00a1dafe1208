"""What a measurement ran on: without it no figure can be compared with another."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = (
    "duckdb",
    "httptools",
    "msgspec",
    "numpy",
    "onnxruntime",
    "pyarrow",
    "uvicorn",
    "uvloop",
)


@dataclass(frozen=True)
class Machine:
    """`load_average` is that of the last minute before the benchmark began: 0 when it was quiet."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    filesystem: str
    load_average: float
    versions: dict[str, str]


def this_machine(folder: Path, peers_python: Path) -> Machine:
    """Look; `folder` is where the spools of the servers under test lie."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.release()}",
        filesystem=_filesystem(folder),
        load_average=round(os.getloadavg()[0], 2),
        versions={"python": platform.python_version(), **_versions(), **_peers(peers_python)},
    )


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*: *(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _filesystem(folder: Path) -> str:
    mounts = [
        partition
        for partition in psutil.disk_partitions(all=True)
        if folder.resolve().is_relative_to(partition.mountpoint)
    ]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _peers(python: Path) -> dict[str, str]:
    found = {}
    if python.exists():
        question = "from importlib.metadata import version; print(version('mosec'))"
        found["mosec"] = _printed([str(python), "-c", question])
    wrk = shutil.which("wrk")
    if wrk is not None:
        found["wrk"] = " ".join(_printed([wrk, "--version"]).split()[1:2])
    return found


def _printed(command: list[str]) -> str:
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL
    )
    return finished.stdout.strip()
