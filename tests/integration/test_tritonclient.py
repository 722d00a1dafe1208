"""tritonclient[http], unmodified, against a real node: every call that it has for what a node does.

The client turns every error answer into an InferenceServerException with message and status.
"""

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient as AsyncClient
from tritonclient.utils import InferenceServerException, serialize_byte_tensor
from tritonclient.utils import shared_memory as shm

from inference_node.models.session import DATATYPES
from tests.integration.node_process import Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save

Array = np.ndarray[Any, np.dtype[Any]]

VALUES: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT64": [0, 2**64 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "INT8": [-128, 127],
    "FP16": [-65504.0, 0.5],
    "FP64": [1.7976931348623157e308, 5e-324],
    "BYTES": ["naïve".encode(), b"a\0b\0"],
}
PRIORITIES = "priority_levels = 2\ndefault_priority_level = 2\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "doubling", onnx_models.doubling(), version="1", more=PRIORITIES)
    save(folder, "doubling", onnx_models.doubling(), version="2", more=PRIORITIES)
    save(folder, "sums", onnx_models.sum_and_product())
    save(folder, "scores", onnx_models.image_scores(), more=SCORES)
    save(folder, "any length", onnx_models.any_length())
    save(folder, "fragile", onnx_models.fragile())
    save(folder, "spare", onnx_models.doubling())
    for datatype in onnx_models.ELEMENT_TYPES:
        save(folder, f"echo-{datatype}", onnx_models.echo(datatype))
    with running_node(tmp_path_factory.mktemp("node"), folder) as node:
        yield node


@pytest.fixture
def client(node: Node) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(f"127.0.0.1:{node.port}", concurrency=4) as client:
        yield client


def tensor(name: str, values: Array, *, binary: bool = True) -> InferInput:
    datatype = next(
        datatype for datatype, dtype in DATATYPES.values() if np.dtype(dtype) == values.dtype
    )
    found = InferInput(name, list(values.shape), datatype)
    found.set_data_from_numpy(values, binary_data=binary)
    return found


def numbers(*shape: int) -> Array:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def refusal(client: InferenceServerClient, model: str, *args: Any, **more: Any) -> tuple[str, str]:
    """Return status and message of the error that the client raises."""
    with pytest.raises(InferenceServerException) as refused:
        client.infer(model, *args, **more)
    return refused.value.status(), refused.value.message()


def test_the_node_and_its_models_are_live_and_ready(client: InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("doubling")
    assert client.is_model_ready("doubling", "1")
    assert client.is_model_ready("any length")
    assert not client.is_model_ready("doubling", "9")
    assert not client.is_model_ready("nothing")


def test_the_node_describes_itself(client: InferenceServerClient) -> None:
    found = client.get_server_metadata()
    assert found["name"] == "inference_node"
    assert "binary_tensor_data" in found["extensions"]


def test_a_model_describes_itself(client: InferenceServerClient) -> None:
    about = {"datatype": "FP32", "shape": [-1, 3]}
    for version in ("", "1"):
        found = client.get_model_metadata("doubling", version)
        assert found["name"] == "doubling"
        assert sorted(found["versions"]) == ["1", "2"]
        assert found["inputs"] == [{"name": "x", **about}]
        assert found["outputs"] == [{"name": "y", **about}]
    with pytest.raises(InferenceServerException, match="unknown model 'nothing'") as refused:
        client.get_model_metadata("nothing")
    assert refused.value.status() == "404"


def test_a_model_says_how_it_is_served(client: InferenceServerClient) -> None:
    for version in ("", "1"):
        found = client.get_model_config("doubling", version)
        assert (found["name"], found["max_batch_size"]) == ("doubling", 8)
        assert found["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [3]}]
        assert found["dynamic_batching"]["priority_levels"] == 2


def test_models_are_listed_unloaded_and_loaded(client: InferenceServerClient) -> None:
    def states() -> dict[str, str]:
        index = client.get_model_repository_index()
        return {entry["name"]: entry["state"] for entry in index}

    assert {"doubling", "sums", "spare"} <= set(states())
    assert set(states().values()) == {"READY"}
    client.unload_model("spare")
    assert states()["spare"] != "READY"
    assert states()["sums"] == "READY"
    assert not client.is_model_ready("spare")
    status, message = refusal(client, "spare", [tensor("x", numbers(1, 3))])
    assert status == "503"
    assert "spare" in message
    client.load_model("spare")
    assert states()["spare"] == "READY"
    assert client.is_model_ready("spare")
    found = client.infer("spare", [tensor("x", numbers(1, 3))]).as_numpy("y")
    np.testing.assert_array_equal(found, numbers(1, 3) * 2)


def test_a_model_that_is_not_there_or_brought_along_is_not_loaded(
    client: InferenceServerClient,
) -> None:
    for change in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException, match="unknown model") as refused:
            change("nothing")
        assert refused.value.status() == "404"
    with pytest.raises(InferenceServerException, match="'config' is not supported") as refused:
        client.load_model("spare", config="{}")
    assert refused.value.status() == "400"


def test_statistics_count_what_was_asked(client: InferenceServerClient) -> None:
    def counted() -> Any:
        [found] = client.get_inference_statistics("sums", "1")["model_stats"]
        return found

    before = counted()
    value = np.array([1, 2, 3], np.int64)
    client.infer("sums", [tensor("a", value), tensor("b", value)])
    after = counted()
    assert after["inference_count"] == before["inference_count"] + 3
    assert after["execution_count"] == before["execution_count"] + 1
    success = after["inference_stats"]["success"]
    assert success["count"] == before["inference_stats"]["success"]["count"] + 1
    assert success["ns"] > 0
    assert [of["compute_infer"]["count"] for of in after["batch_stats"] if of["batch_size"] == 3]
    everything = client.get_inference_statistics()["model_stats"]
    assert {"doubling", "sums"} <= {of["name"] for of in everything}
    versions = client.get_inference_statistics("doubling")["model_stats"]
    assert sorted(of["version"] for of in versions) == ["1", "2"]


@pytest.mark.parametrize("sent", [True, False], ids=["binary-in", "json-in"])
@pytest.mark.parametrize("got", [True, False, None], ids=["binary-out", "json-out", "no-wish"])
@pytest.mark.parametrize("datatype", list(onnx_models.ELEMENT_TYPES))
def test_every_datatype_comes_back_as_it_was_sent(
    client: InferenceServerClient, datatype: str, sent: bool, got: bool | None
) -> None:
    dtype = dict(DATATYPES.values())[datatype]
    values = np.array([VALUES.get(datatype, [1, 200])], dtype)
    outputs = None if got is None else [InferRequestedOutput("y", binary_data=got)]
    result = client.infer(f"echo-{datatype}", [tensor("x", values, binary=sent)], outputs=outputs)
    about = result.get_output("y")
    assert (about["datatype"], about["shape"]) == (datatype, [1, 2])
    assert ("data" in about) == (got is False)
    found = result.as_numpy("y")
    assert found is not None
    assert found.dtype == np.dtype(dtype)
    if datatype == "BYTES" and got is False:
        assert found.tolist() == [[text.decode() for text in values[0]]]
    else:
        assert found.tolist() == values.tolist()


def test_infinities_and_nan_come_back_in_binary_and_as_nan_in_json(
    client: InferenceServerClient,
) -> None:
    values = np.array([[np.nan, np.inf]], np.float32)
    sent = [tensor("x", values)]
    found = client.infer("echo-FP32", sent).as_numpy("y")
    np.testing.assert_array_equal(found, values)
    in_json = [InferRequestedOutput("y", binary_data=False)]
    found = client.infer("echo-FP32", sent, outputs=in_json).as_numpy("y")
    np.testing.assert_array_equal(found, [[np.nan, np.nan]])


def test_inputs_and_outputs_may_mix_binary_and_json(client: InferenceServerClient) -> None:
    a, b = np.array([2, 3], np.int64), np.array([5, 7], np.int64)
    result = client.infer(
        "sums",
        [tensor("b", b, binary=False), tensor("a", a)],
        outputs=[
            InferRequestedOutput("product", binary_data=True),
            InferRequestedOutput("sum", binary_data=False),
        ],
    )
    assert [output["name"] for output in result.get_response()["outputs"]] == ["product", "sum"]
    np.testing.assert_array_equal(result.as_numpy("product"), a * b)
    np.testing.assert_array_equal(result.as_numpy("sum"), a + b)
    assert result.as_numpy("difference") is None


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("out", ["gzip", "deflate", None])
@pytest.mark.parametrize("into", ["gzip", "deflate", None])
def test_bodies_are_compressed_both_ways(
    client: InferenceServerClient, into: str | None, out: str | None, binary: bool
) -> None:
    values = np.ones((2, 5000), np.float32)
    result = client.infer(
        "any length",
        [tensor("x", values, binary=binary)],
        outputs=[InferRequestedOutput("y", binary_data=binary)],
        request_compression_algorithm=into,
        response_compression_algorithm=out,
    )
    np.testing.assert_array_equal(result.as_numpy("y"), values)


@pytest.mark.parametrize(
    ("coding", "undo"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_a_large_answer_really_is_compressed(
    node: Node, client: InferenceServerClient, coding: str, undo: Any
) -> None:
    sent = [tensor("x", np.ones((2, 5000), np.float32))]
    body, length = client.generate_request_body(sent)
    headers = {"accept-encoding": coding, "inference-header-content-length": str(length)}
    answer = node.ask("POST", "/v2/models/any%20length/infer", body, headers)
    assert answer.headers["content-encoding"] == coding
    assert len(answer.body) < 5000
    whole = undo(answer.body)
    length = int(answer.headers["inference-header-content-length"])
    result = client.parse_response_body(whole, header_length=length)
    np.testing.assert_array_equal(result.as_numpy("y"), np.ones((2, 5000), np.float32))


def test_the_request_id_comes_back(client: InferenceServerClient) -> None:
    result = client.infer("doubling", [tensor("x", numbers(1, 3))], request_id="request-7")
    assert result.get_response()["id"] == "request-7"
    assert (result.get_response()["model_name"], result.get_response()["model_version"]) == (
        "doubling", "2",
    )  # fmt: skip


def test_a_version_is_asked_by_name(client: InferenceServerClient) -> None:
    result = client.infer("doubling", [tensor("x", numbers(1, 3))], model_version="1")
    assert result.get_response()["model_version"] == "1"


def test_priority_timeout_and_parameters_are_taken(client: InferenceServerClient) -> None:
    result = client.infer(
        "doubling",
        [tensor("x", numbers(2, 3))],
        priority=1,
        timeout=10_000_000,
        parameters={"colour": "blue", "count": 3, "loud": True},
    )
    np.testing.assert_array_equal(result.as_numpy("y"), numbers(2, 3) * 2)


@pytest.mark.parametrize("binary", [True, False])
def test_classification_names_the_classes(client: InferenceServerClient, binary: bool) -> None:
    image = np.array([[[[0, 3], [1, 2]]]], np.float32)
    wanted = InferRequestedOutput("scores", binary_data=binary, class_count=3)
    result = client.infer("scores", [tensor("image", image)], outputs=[wanted])
    found = result.as_numpy("scores")
    assert found is not None
    assert found.shape == (1, 3)
    texts = [text.decode() if isinstance(text, bytes) else text for text in found[0]]
    assert [text.partition(":")[2] for text in texts] == ["1:b", "3:d", "2:c"]
    assert float(texts[0].partition(":")[0]) == pytest.approx(0.6439, abs=1e-3)


def test_requests_run_side_by_side(client: InferenceServerClient) -> None:
    asked = [
        client.async_infer(
            "doubling", [tensor("x", numbers(1, 3) + number)], request_id=str(number)
        )
        for number in range(8)
    ]
    for number, request in enumerate(asked):
        result = request.get_result()
        assert result.get_response()["id"] == str(number)
        np.testing.assert_array_equal(result.as_numpy("y"), (numbers(1, 3) + number) * 2)


def test_an_error_of_a_request_in_the_background_is_raised_where_it_is_fetched(
    client: InferenceServerClient,
) -> None:
    request = client.async_infer("nothing", [tensor("x", numbers(1, 3))])
    with pytest.raises(InferenceServerException, match="unknown model 'nothing'"):
        request.get_result()


def test_errors_say_what_is_wrong_and_what_is_accepted(client: InferenceServerClient) -> None:
    x = tensor("x", numbers(1, 3))
    assert refusal(client, "nothing", [x])[0] == "404"
    assert refusal(client, "doubling", [x], model_version="9")[0] == "404"
    status, message = refusal(client, "doubling", [tensor("z", numbers(1, 3))])
    assert (status, message) == ("400", "unknown input 'z'; accepted: x")
    status, message = refusal(client, "doubling", [tensor("x", numbers(1, 4))])
    assert status == "400"
    assert "has shape [1, 4]; accepted: [-1, 3]" in message
    status, message = refusal(client, "doubling", [tensor("x", numbers(1, 3).astype(np.float64))])
    assert status == "400"
    assert "has datatype 'FP64'; accepted: FP32" in message
    status, message = refusal(client, "doubling", [x], outputs=[InferRequestedOutput("z")])
    assert (status, message) == ("400", "unknown output 'z'; accepted: y")
    status, message = refusal(client, "doubling", [tensor("x", numbers(9, 3))])
    assert status == "400"
    assert "9 items" in message
    assert refusal(client, "fragile", [tensor("x", np.array([7], np.int64))])[0] == "500"


def test_a_sequence_is_taken_and_means_nothing_to_a_model_without_state(
    client: InferenceServerClient,
) -> None:
    for place, (start, end) in enumerate([(True, False), (False, False), (False, True)]):
        x = numbers(1, 3) + place
        result = client.infer(
            "doubling", [tensor("x", x)], sequence_id=7, sequence_start=start, sequence_end=end
        )
        np.testing.assert_array_equal(result.as_numpy("y"), x * 2)


@pytest.fixture
def region(client: InferenceServerClient) -> Iterator[Any]:
    """A region `r` of 64 bytes, registered."""
    made = shm.create_shared_memory_region("r", f"/test-{uuid4()}", 64)
    try:
        client.register_system_shared_memory("r", made._shm_key, 64)
        yield made
        client.unregister_system_shared_memory("r")
    finally:
        shm.destroy_shared_memory_region(made)


def test_regions_of_shared_memory_are_registered_shown_and_given_back(
    client: InferenceServerClient, region: Any
) -> None:
    about = {"name": "r", "key": region._shm_key, "offset": 0, "byte_size": 64}
    assert client.get_system_shared_memory_status("r") == [about]
    client.register_system_shared_memory("a b", region._shm_key, 24, offset=40)
    assert client.get_system_shared_memory_status() == [
        about,
        {**about, "name": "a b", "offset": 40, "byte_size": 24},
    ]
    with pytest.raises(InferenceServerException, match="'r' is registered already"):
        client.register_system_shared_memory("r", region._shm_key, 64)
    with pytest.raises(InferenceServerException, match="there is no such object"):
        client.register_system_shared_memory("s", "/nothing-of-the-kind", 64)
    with pytest.raises(InferenceServerException, match="beyond the 64 bytes"):
        client.register_system_shared_memory("s", region._shm_key, 64, offset=1)
    client.unregister_system_shared_memory("a b")
    client.unregister_system_shared_memory("a b")
    assert client.get_system_shared_memory_status() == [about]
    client.unregister_system_shared_memory()
    assert client.get_system_shared_memory_status() == []
    with pytest.raises(InferenceServerException, match="no system shared memory region 'r'") as no:
        client.get_system_shared_memory_status("r")
    assert no.value.status() == "404"


def test_tensors_go_through_shared_memory_both_ways(
    client: InferenceServerClient, region: Any
) -> None:
    x = InferInput("x", [2, 3], "FP32")
    x.set_shared_memory("r", 24)
    y = InferRequestedOutput("y")
    y.set_shared_memory("r", 24, offset=32)
    for place in range(3):
        shm.set_shared_memory_region(region, [numbers(2, 3) + place])
        result = client.infer("doubling", [x], outputs=[y])
        assert result.get_output("y")["parameters"] == {
            "shared_memory_region": "r",
            "shared_memory_offset": 32,
            "shared_memory_byte_size": 24,
        }
        answered = shm.get_contents_as_numpy(region, np.float32, [2, 3], 32)
        np.testing.assert_array_equal(answered, (numbers(2, 3) + place) * 2)
    # One way only, and beside tensors that are in the body.
    result = client.infer("doubling", [x])
    np.testing.assert_array_equal(result.as_numpy("y"), (numbers(2, 3) + 2) * 2)
    client.infer("doubling", [tensor("x", numbers(1, 3))], outputs=[y])
    answered = shm.get_contents_as_numpy(region, np.float32, [1, 3], 32)
    np.testing.assert_array_equal(answered, numbers(1, 3) * 2)


def test_strings_go_through_shared_memory(client: InferenceServerClient, region: Any) -> None:
    values = np.array([[b"a", "naïve".encode()]], np.object_)
    packed = serialize_byte_tensor(values)
    shm.set_shared_memory_region(region, [packed])
    x = InferInput("x", [1, 2], "BYTES")
    x.set_shared_memory("r", len(packed.item()))
    y = InferRequestedOutput("y")
    y.set_shared_memory("r", 32, offset=32)
    client.infer("echo-BYTES", [x], outputs=[y])
    found = shm.get_contents_as_numpy(region, np.object_, [1, 2], 32)
    assert found.tolist() == values.tolist()


def test_what_does_not_fit_into_shared_memory_is_said(
    client: InferenceServerClient, region: Any
) -> None:
    def shared(name: str, *place: int) -> InferInput:
        x = InferInput("x", [1, 3], "FP32")
        x.set_shared_memory(name, *place)
        return x

    for x, complaint in (
        (shared("nothing", 12), "region 'nothing' is not registered"),
        (shared("r", 12, 60), "beyond the 64 bytes"),
        (shared("r", 8), "shared_memory_byte_size 8; its shape [1, 3] needs 12 bytes"),
    ):
        status, message = refusal(client, "doubling", [x])
        assert status == "400"
        assert complaint in message
    y = InferRequestedOutput("y")
    y.set_shared_memory("r", 8)
    status, message = refusal(client, "doubling", [shared("r", 12)], outputs=[y])
    assert (status, message) == (
        "400", "an output needs 12 bytes; its shared_memory_byte_size is 8",
    )  # fmt: skip


def test_there_is_no_shared_memory_on_a_gpu(client: InferenceServerClient) -> None:
    assert client.get_cuda_shared_memory_status() == []
    client.unregister_cuda_shared_memory()
    client.unregister_cuda_shared_memory("c")
    with pytest.raises(InferenceServerException, match="'c' is registered") as refused:
        client.get_cuda_shared_memory_status("c")
    assert refused.value.status() == "404"
    with pytest.raises(InferenceServerException, match="CUDA shared memory is not supp") as refused:
        client.register_cuda_shared_memory("c", "aGFuZGxl", 0, 64)
    assert refused.value.status() == "400"
    assert "cuda_shared_memory" not in client.get_server_metadata()["extensions"]


def test_requests_are_traced_in_the_log_while_somebody_wants_it(
    client: InferenceServerClient, node: Node
) -> None:
    off = {
        "trace_level": ["OFF"],
        "trace_rate": "1000",
        "trace_count": "-1",
        "log_frequency": "0",
        "trace_file": "",
    }
    assert client.get_trace_settings() == client.get_trace_settings("sums") == off
    wanted = {"trace_level": ["TIMESTAMPS"], "trace_rate": "2", "trace_count": "3"}
    assert client.update_trace_settings("doubling", wanted) == {**off, **wanted}
    assert client.get_trace_settings() == off
    for _ in range(10):
        client.infer("doubling", [tensor("x", numbers(1, 3))])
    client.infer("echo-FP32", [tensor("x", np.array([[1, 2]], np.float32))])
    lines = until(lambda: _traces(node, 3))
    assert {line["model_name"] for line in lines} == {"doubling"}
    for line in lines:
        stamps = {stamp["name"]: stamp["ns"] for stamp in line["timestamps"]}
        assert list(stamps.values()) == sorted(stamps.values())
        assert {"REQUEST_START", "COMPUTE_START", "REQUEST_END"} <= stamps.keys()
        assert node.record(line["id"]).arrived_at_us * 1000 == stamps["REQUEST_START"]
    assert client.get_trace_settings("doubling")["trace_count"] == "0"
    assert client.update_trace_settings("doubling", {}) == off
    client.update_trace_settings(settings=wanted)
    assert client.get_trace_settings("doubling") == {**off, **wanted}
    clear = {"trace_level": None, "trace_rate": None, "trace_count": None}
    assert client.update_trace_settings(settings=clear) == off
    with pytest.raises(InferenceServerException, match="trace settings do not fit") as refused:
        client.update_trace_settings(settings={"trace_level": ["TENSORS"]})
    assert refused.value.status() == "400"
    with pytest.raises(InferenceServerException, match="unknown model 'nothing'") as refused:
        client.get_trace_settings("nothing")
    assert refused.value.status() == "404"


def _traces(node: Node, count: int) -> list[Any] | None:
    """Return the traces in the log of `node` once there are `count` of them."""
    lines = [line for line in node.log().splitlines() if " node: trace {" in line]
    assert len(lines) <= count
    traces = [json.loads(line.partition(" node: trace ")[2]) for line in lines]
    return traces if len(traces) == count else None


def test_the_log_is_set_while_the_node_runs(client: InferenceServerClient, node: Node) -> None:
    before = client.get_log_settings()
    assert before == {
        "log_info": True,
        "log_warning": True,
        "log_error": True,
        "log_verbose_level": 0,
        "log_format": "default",
        "log_file": "",
    }
    try:
        changes = {"log_error": False, "log_format": "ISO8601", "log_verbose_level": 1}
        assert client.update_log_settings(changes) == {**before, **changes}
        assert client.get_log_settings() == {**before, **changes}
    finally:
        assert client.update_log_settings(before) == before
    with pytest.raises(InferenceServerException, match="log settings do not fit") as refused:
        client.update_log_settings({"log_file": "/etc/passwd"})
    assert refused.value.status() == "400"


def test_the_asynchronous_client_is_served_as_well(node: Node) -> None:
    async def ask() -> None:
        async with AsyncClient(f"127.0.0.1:{node.port}") as client:
            assert await client.is_server_ready()
            assert await client.is_model_ready("doubling")
            assert (await client.get_server_metadata())["name"] == "inference_node"
            assert (await client.get_model_metadata("doubling"))["name"] == "doubling"
            assert (await client.get_model_config("doubling"))["max_batch_size"] == 8
            assert len(await client.get_model_repository_index()) > 3
            assert (await client.get_inference_statistics("doubling"))["model_stats"]
            assert (await client.get_trace_settings())["trace_level"] == ["OFF"]
            assert (await client.get_log_settings())["log_info"]
            assert await client.get_system_shared_memory_status() == []
            assert await client.get_cuda_shared_memory_status() == []
            await client.unload_model("spare")
            await client.load_model("spare")
            x = numbers(4, 300)
            for binary in (True, False):
                results = await asyncio.gather(
                    *(
                        client.infer(
                            "any length",
                            [tensor("x", x + place, binary=binary)],
                            outputs=[InferRequestedOutput("y", binary_data=binary)],
                            request_id=str(place),
                            request_compression_algorithm="gzip",
                            response_compression_algorithm="deflate",
                        )
                        for place in range(5)
                    )
                )
                for place, result in enumerate(results):
                    assert result.get_response()["id"] == str(place)
                    np.testing.assert_array_equal(result.as_numpy("y"), x + place)
            with pytest.raises(InferenceServerException, match="unknown model"):
                await client.infer("nothing", [tensor("x", x)])

    asyncio.run(ask())


def test_bytes_that_are_no_text_are_refused(client: InferenceServerClient) -> None:
    values = np.array([[b"\xff\xfe", b""]], np.object_)
    status, message = refusal(client, "echo-BYTES", [tensor("x", values)])
    assert status == "400"
    assert "element 0 is no UTF-8 text" in message
