"""Every path has one method and one meaning; what strangers make up is not kept."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node import routes
from inference_node.errors import MethodNotAllowedError, NotFoundError
from inference_node.routes import OF_A_MODEL, OF_THE_NODE, Route, find_route

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(NAMES, st.none() | NAMES, st.sampled_from(sorted(OF_A_MODEL)))
def test_any_name_reaches_its_model_when_it_is_percent_encoded(
    name: str, version: str | None, rest: tuple[str, ...]
) -> None:
    named = [quote(name, safe="")]
    if version is not None:
        named += ["versions", quote(version, safe="")]
    path = "/".join(["/v2/models", *named, *rest])
    for method, action in OF_A_MODEL[rest].items():
        if path not in OF_THE_NODE:
            assert find_route(method, path) == Route(action, name, version)


@pytest.mark.parametrize(
    "path",
    [
        *OF_THE_NODE,
        "/v2/models/m",
        "/v2/models/m/versions/1/jobs",
        "/v2/models/m/trace/setting",
        "/v2/systemsharedmemory/region/r/status",
        "/v2/cudasharedmemory/region/r/register",
    ],
)
def test_a_path_says_which_methods_it_takes_and_head_where_it_takes_get(path: str) -> None:
    taken = []
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"):
        try:
            find_route(method, path)
            taken.append(method)
        except MethodNotAllowedError as error:
            refusal = dict(error.headers)[b"allow"].decode()
    assert taken in (["GET", "HEAD"], ["POST"], ["GET", "HEAD", "POST"])
    assert refusal == ", ".join(taken)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//v2",
        "/v2/",
        "/V2",
        "/v2/models",
        "/v2/models/m/",
        "/v2/models/m/infer/",
        "/v2/models/m/predict",
        "/v2/models/m/versions/1/versions/2/infer",
        "/v2/models/a/b/infer",
        "/v2/repository/models/m",
        "/v2/repository/models/m/delete",
        "/v2/../v2/models/m",
        "/%76%32",
        "/metrics/x",
        "/v2/trace",
        "/v2/models/m/trace",
        "/v2/models/m/versions/1/trace/setting",
        "/v2/systemsharedmemory",
        "/v2/systemsharedmemory/register",
        "/v2/systemsharedmemory/region/status",
        "/v2/systemsharedmemory/region/a/b/status",
        "/v2/systemsharedmemory/region/a/delete",
        "/v2/sharedmemory/status",
        "/" * 60_000,
    ],
)
def test_any_other_path_is_not_found_and_quoted_in_part_only(path: str) -> None:
    with pytest.raises(NotFoundError) as refusal:
        find_route("POST", path)
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    "path", ["/v2/repository/models/m%2Fn/load", "/v2/repository/models/x/load"]
)
def test_models_are_loaded_by_name(path: str) -> None:
    name = "m/n" if "%2F" in path else "x"
    assert find_route("POST", path) == Route("load", name)


def test_regions_of_memory_are_named_and_a_method_tells_asking_from_changing() -> None:
    path = "/v2/systemsharedmemory/region/a%2Fb/"
    assert find_route("GET", path + "status") == Route("system_memory", region="a/b")
    assert find_route("POST", path + "register") == Route("register_system_memory", region="a/b")
    assert find_route("POST", "/v2/cudasharedmemory/region/c/unregister") == Route(
        "unregister_cuda_memory", region="c"
    )
    assert find_route("GET", "/v2/models/m/trace/setting") == Route("trace", "m")
    assert find_route("POST", "/v2/models/m/trace/setting") == Route("update_trace", "m")
    assert find_route("HEAD", "/v2/logging") == Route("log")


def test_what_a_client_makes_up_is_kept_only_while_it_is_short_and_for_a_few_paths() -> None:
    for number in range(2000):
        find_route("POST", f"/v2/models/{number:050000}/infer")
        with pytest.raises(NotFoundError):
            find_route("POST", f"/nowhere/{number}")
    kept = routes._remembered.cache_info().currsize
    for number in range(2000):
        find_route("POST", f"/v2/models/short-{number}/infer")
    assert kept < 1000
    assert routes._remembered.cache_info().currsize <= 1024
    long_name = "n" * 5000
    assert find_route("POST", f"/v2/models/{long_name}/infer") == Route("infer", long_name)
