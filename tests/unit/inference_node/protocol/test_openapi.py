"""The OpenAPI document: valid, and of the node as it is."""

import json
from typing import Any

import pytest
import schemathesis

from inference_node.errors import MethodNotAllowedError, RequestError
from inference_node.protocol.openapi import openapi_document
from inference_node.routes import (
    OF_A_MODEL,
    OF_A_REGION,
    OF_ALL_VERSIONS,
    OF_THE_NODE,
    find_route,
)

PATHS: dict[str, Any] = openapi_document()["paths"]
OPERATIONS = [(path, method.upper()) for path, methods in PATHS.items() for method in methods]


def statuses(kind: type[RequestError]) -> set[int]:
    found = {kind.status}
    for below in kind.__subclasses__():
        found |= statuses(below)
    return found


def test_it_is_a_valid_openapi_document() -> None:
    document = json.loads(json.dumps(openapi_document()))
    schemathesis.openapi.from_dict(document).validate()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_path_is_one_of_the_node_and_takes_no_other_method(path: str, method: str) -> None:
    place = path.replace("{", "").replace("}", "")
    find_route(method, place)
    with pytest.raises(MethodNotAllowedError):
        find_route("DELETE", place)


def test_every_path_of_the_node_is_in_it() -> None:
    of_models = ["".join(f"/{segment}" for segment in rest) for rest in OF_A_MODEL]
    of_a_model = {f"/v2/models/{{model}}{rest}" for rest in of_models}
    of_a_version = {f"/v2/models/{{model}}/versions/{{version}}{rest}" for rest in of_models}
    of_a_model |= {f"/v2/models/{{model}}/{'/'.join(rest)}" for rest in OF_ALL_VERSIONS}
    of_a_region = {f"/v2/{kind}/region/{{region}}/{verb}" for kind, verb in OF_A_REGION}
    control = {f"/v2/repository/models/{{model}}/{action}" for action in ("load", "unload")}
    assert set(PATHS) == set(OF_THE_NODE) | of_a_model | of_a_version | of_a_region | control


def test_every_error_has_the_protocols_shape_and_every_status_is_there() -> None:
    seen = set()
    for path, method in OPERATIONS:
        for status, answer in PATHS[path][method.lower()]["responses"].items():
            seen.add(int(status))
            health = path.endswith(("/live", "/ready")) and status == "503"
            if int(status) >= 400 and not health:
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}
    # Nobody is there to read that its client has left.
    assert statuses(RequestError) - {499} <= seen


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [PATHS[path][method.lower()]["operationId"] for path, method in OPERATIONS]
    assert len(set(names)) == len(names)
