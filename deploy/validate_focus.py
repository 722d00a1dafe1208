"""`python -m deploy.validate_focus FILE`: a finance file through the public FOCUS validator.

The validator is in an environment of its own, `.venv-focus` (deploy/install_focus_validator). It
ends with 0 even when rules fail, so its report is read here. It finds its currency codes only from
the folder that its package lies in, and leaves a log where it runs: hence the folder for it.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
VALIDATOR = ROOT / ".venv-focus/bin/focus-validator"
VERSION = "1.2"
# What the file claims to have. Left out is CAPACITY_RESERVATION, of which it has none; and
# COMMITMENT_DISCOUNT, of which the validator's model has rules that contradict each other.
CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED",
    "AVAILABILITY_ZONE_SUPPORTED",
    "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED",
    "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED",
    "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED",
    "REGION_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "SUB_ACCOUNT_SUPPORTED",
    "TAGGING_SUPPORTED",
    "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
    "VIRTUAL_CURRENCY_SUPPORTED",
)
# InvoiceId must be null, says one rule, and must not, says the next: neither asks on which rows.
KNOWN = frozenset({"InvoiceId-C-004-C"})
# With COMMITMENT_DISCOUNT: its condition is that of the opposite rule.
KNOWN_OF_COMMITMENTS = frozenset({"CommitmentDiscountStatus-C-004-C"})


class ValidationError(Exception):
    """The validator could not be run, or its report not be read."""


@dataclass(frozen=True)
class Report:
    """What the validator found: how many rules it looked at, and those that failed.

    `failed` are rules of their own, `composite` those that failed because others did.
    """

    passed: int
    failed: frozenset[str]
    composite: frozenset[str]

    def unknown(self, known: Iterable[str] = KNOWN) -> list[str]:
        """Return the failures that are no known fault of the validator's, sorted."""
        left = self.failed - frozenset(known)
        alone = self.composite if not self.failed else frozenset()
        return sorted(left | alone)


def read_report(xml: str) -> Report:
    """Return what the validator's report in the form of unit tests says. Raises ValidationError."""
    try:
        cases = list(ElementTree.fromstring(xml).iter("testcase"))  # noqa: S314 - our own process's
    except ElementTree.ParseError as error:
        raise ValidationError(f"the validator's report is no XML: {error}") from error
    rules: dict[bool, set[str]] = {False: set(), True: set()}
    passed = 0
    for case in cases:
        rule, _, kind = case.get("name", "").partition(" :: ")
        if case.find("failure") is not None or case.find("error") is not None:
            rules[kind == "Composite"].add(rule)
        elif case.find("skipped") is None:
            passed += 1
    if not passed:
        raise ValidationError("the validator's report has no rule that it looked at")
    return Report(passed, frozenset(rules[False]), frozenset(rules[True]))


def validate(file: Path, criteria: Iterable[str] = CRITERIA) -> Report:
    """Return what the validator says of `file`. Raises ValidationError."""
    if not VALIDATOR.exists():
        raise ValidationError(f"{VALIDATOR}: not there; run deploy/install_focus_validator first")
    [package] = VALIDATOR.parents[1].glob("lib/python3*/site-packages/focus_validator")
    with tempfile.TemporaryDirectory(prefix="focus-") as folder:
        (Path(folder) / package.name).symlink_to(package)
        report = Path(folder) / "report.xml"
        finished = subprocess.run(
            [
                str(VALIDATOR),
                "--data-file", str(file.resolve()),
                "--validate-version", VERSION,
                "--block-download",
                "--applicability-criteria", ",".join(criteria),
                "--output-type", "unittest",
                "--output-destination", str(report),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if not report.exists():
            words = (finished.stderr or finished.stdout).strip().splitlines() or ["no output"]
            raise ValidationError(f"{file}: the validator gave no report: {words[-1]}")
        return read_report(report.read_text(encoding="utf-8"))


def main() -> int:
    """Validate the file, say what failed, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.validate_focus", description=__doc__)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    try:
        report = validate(arguments.file)
    except ValidationError as error:
        print(error, file=sys.stderr)
        return 1
    for rule in report.unknown():
        print(f"FAIL {rule}")
    print(f"{report.passed} rules hold, {len(report.unknown())} fail")
    return 1 if report.unknown() else 0


if __name__ == "__main__":
    sys.exit(main())
