"""What can be said about this machine without naming it."""

import os
import platform
from pathlib import Path

import onnxruntime

from model_lab.card import Machine

CPU_INFO = Path("/proc/cpuinfo")
TELLING_FEATURES = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8")
"""Instruction sets that decide how fast int8 is compared with FP32."""


def describe_machine(cpu_info: Path = CPU_INFO) -> Machine:
    """Return processor, cores and software versions; `cpu_info` is Linux's /proc/cpuinfo.

    Where that file does not exist, the processor is what the platform module knows.
    """
    fields: dict[str, str] = {}
    if cpu_info.is_file():
        for line in cpu_info.read_text().splitlines():
            name, separator, value = line.partition(":")
            if separator:
                fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    return Machine(
        cpu=fields.get("model name") or platform.processor() or platform.machine(),
        cpu_features=tuple(name for name in TELLING_FEATURES if name in flags),
        cores=os.cpu_count() or 1,
        onnxruntime=onnxruntime.__version__,
        python=platform.python_version(),
    )
