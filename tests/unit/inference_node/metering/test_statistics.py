"""Statistics in Triton's shape, from usage records."""

from inference_node.metering.statistics import statistics
from inference_node.metering.tally import Tally
from inference_node.protocol.statistics import Duration, ModelStatistics
from tests.fixtures_usage import usage_record
from usage import UsageRecord


def statistics_of(*records: UsageRecord) -> ModelStatistics:
    tally = Tally()
    tally.fold(records)
    [found] = statistics(tally).values()
    return found


def test_success_and_failure_are_requests_with_their_time_in_nanoseconds() -> None:
    found = statistics_of(
        usage_record(total_us=2_080),
        usage_record(total_us=920),
        usage_record(total_us=50, status=503, error="queue_full", batch_size=0, compute_us=0),
    ).inference_stats
    assert found.success == Duration(2, 3_000_000)
    assert found.fail == Duration(1, 50_000)


def test_stages_are_those_of_successful_executed_requests() -> None:
    found = statistics_of(
        usage_record(queue_us=400, compute_us=1_500),
        usage_record(queue_us=100, compute_us=500, status=500, error="execution_failed"),
        usage_record(queue_us=70, compute_us=0, batch_size=0, cache="memory"),
    ).inference_stats
    assert found.queue == Duration(1, 400_000)
    assert found.compute_infer == Duration(1, 1_500_000)


def test_look_ups_hit_or_miss_and_bypass_is_neither() -> None:
    outcomes = ("miss", "miss", "memory", "disk", "redis", "coalesced", "bypass")
    found = statistics_of(*(usage_record(cache=outcome, total_us=10) for outcome in outcomes))
    assert found.inference_stats.cache_hit == Duration(4, 40_000)
    assert found.inference_stats.cache_miss.count == 2


def test_batches_are_counted_once_and_their_time_makes_the_cost_curve() -> None:
    found = statistics_of(
        usage_record(compute_us=1_000),
        *(usage_record(items=items, batch_size=4, compute_us=1_600) for items in (1, 3)),
        *(usage_record(items=2, batch_size=4, compute_us=2_000) for _ in range(2)),
    )
    assert (found.inference_count, found.execution_count) == (9, 3)
    one, four = found.batch_stats
    assert (one.batch_size, one.compute_infer) == (1, Duration(1, 1_000_000))
    assert (four.batch_size, four.compute_infer) == (4, Duration(2, 3_600_000))


def test_a_shadow_is_an_execution_and_no_request() -> None:
    found = statistics_of(usage_record(route="shadow"), usage_record(route="cascade_attempt"))
    assert found.execution_count == 2
    assert found.inference_stats.success.count == found.inference_stats.fail.count == 0


def test_the_last_inference_is_in_milliseconds() -> None:
    record = usage_record()
    assert statistics_of(record).last_inference == record.arrived_at_us // 1000


def test_every_version_has_its_own() -> None:
    tally = Tally()
    tally.fold([usage_record(), usage_record(model_version="2"), usage_record(model="other")])
    assert set(statistics(tally)) == {("digits", "1"), ("digits", "2"), ("other", "1")}
    assert all((of.name, of.version) == key for key, of in statistics(tally).items())
