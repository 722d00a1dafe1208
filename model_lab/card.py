"""The card beside each model: what it is, what it was trained on, how well and fast it works."""

import datetime
from pathlib import Path

import msgspec

from model_lab.errors import CardError


class DataSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the images come from and how they were prepared."""

    name: str
    source: str
    licence: str
    citation: str
    preparation: str


class SplitSizes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Number of images in each part, and the seed that drew them."""

    seed: int
    train: int
    validation: int
    test: int
    note: str


class Architecture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The layers; `widths` counts the values before, between and after them."""

    layers: str
    widths: tuple[int, ...]
    parameters: int
    training: str
    quantisation: str | None


class Quality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Size and accuracy; accuracies and agreement are shares, 0..1.

    `agreement_with_fp32` is the share of test images that get the digit version 1 gives them.
    """

    file_bytes: int
    validation_accuracy: float
    test_accuracy: float
    agreement_with_fp32: float


class BatchLatency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time of one session.run with `batch_size` images, in microseconds."""

    batch_size: int
    median_compute_us: int
    p95_compute_us: int
    median_per_request_us: float


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the times depend on besides the model."""

    cpu: str
    cpu_features: tuple[str, ...]
    cores: int
    onnxruntime: str
    python: str


class Performance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measured times.

    `measured_at` is a UTC date. `per_request_ratio` is the median time per image at the largest
    batch over that at batch 1: below 1, batching pays. `speed_up_over_fp32` compares batch 1.
    """

    measured_at: datetime.date
    machine: Machine
    intra_op_threads: int
    repetitions: int
    note: str
    latency: tuple[BatchLatency, ...]
    per_request_ratio: float
    speed_up_over_fp32: float


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything claimed about one version of a model."""

    title: str
    task: str
    version: str
    variant: str
    data_set: DataSet
    split: SplitSizes
    architecture: Architecture
    quality: Quality
    performance: Performance


def write_card(path: Path, card: Card) -> None:
    """Write `card` as indented JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")


def read_card(path: Path) -> Card:
    """Read what write_card wrote; CardError names the file and the field that is wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except FileNotFoundError:
        raise CardError(f"{path}: no such file; `python -m model_lab train` writes it") from None
    except msgspec.DecodeError as error:
        raise CardError(f"{path}: {error}") from error
