"""The report of the public validator, which ends with 0 whatever it finds."""

import pytest

from deploy.validate_focus import KNOWN_OF_COMMITMENTS, Report, ValidationError, read_report

REPORT = """\
<testsuites name="FOCUS Validations" tests="4" failures="2">
  <testsuite name="a"><testcase name="BilledCost-C-001-M :: Type" time="0" /></testsuite>
  <testsuite name="b"><testcase name="Tags-C-001-M :: Type"><skipped message="x"/></testcase></testsuite>
  <testsuite name="c"><testcase name="InvoiceId-C-004-C :: Nullability">
    <failure name="InvoiceId-C-004-C" message="x">Failed</failure></testcase></testsuite>
  {more}
</testsuites>
"""  # noqa: E501 - as the validator writes it
FAILURE = (
    '<testsuite name="{0}"><testcase name="{0}"><failure>Failed</failure></testcase></testsuite>'
)


def report(*failed: str) -> Report:
    return read_report(REPORT.format(more="".join(FAILURE.format(rule) for rule in failed)))


def test_the_one_rule_that_contradicts_another_is_no_failure() -> None:
    found = report()
    assert (found.passed, sorted(found.failed)) == (1, ["InvoiceId-C-004-C"])
    assert found.unknown() == []


def test_any_other_rule_that_fails_is_one() -> None:
    found = report("BilledCost-C-003-M :: Nullability", "BilledCost-C-000-M :: Composite")
    assert found.unknown() == ["BilledCost-C-003-M"]


def test_what_fails_because_others_do_is_told_where_none_of_them_is() -> None:
    text = REPORT.format(more=FAILURE.format("CostAndUsage-D-000-M :: Composite"))
    found = read_report(text.replace("<failure name", "<skipped name").replace(
        'message="x">Failed</failure>', 'message="x"></skipped>'
    ))  # fmt: skip
    assert found.unknown() == ["CostAndUsage-D-000-M"]


def test_more_may_be_known_where_more_is_asked() -> None:
    found = report("CommitmentDiscountStatus-C-004-C :: Nullability")
    assert found.unknown() == ["CommitmentDiscountStatus-C-004-C"]
    assert found.unknown({"InvoiceId-C-004-C", *KNOWN_OF_COMMITMENTS}) == []


@pytest.mark.parametrize("text", ["", "<testsuites/>", "not xml", "<testsuites><a></testsuites>"])
def test_a_report_that_says_nothing_is_no_success(text: str) -> None:
    with pytest.raises(ValidationError, match="the validator's report"):
        read_report(text)
