"""The OpenAPI 3.1 document of the API, made from the endpoint table and the pydantic models."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hotline.console.endpoint import ID, PARTS, Endpoint
from hotline.console.problems import STATUS, Fault, Problem

_REF = "#/components/schemas/{model}"


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The whole document as plain values, ready for JSON."""
    models = {Problem, *(it.answers for it in endpoints if it.answers)}
    models |= {model for it in endpoints for model in (it.events or {}).values()}
    bodies = {it.body for it in endpoints if it.body}
    wanted = [(model, "serialization") for model in models] + [
        (model, "validation") for model in bodies
    ]
    refs, schemas = models_json_schema(
        sorted(wanted, key=lambda it: (it[0].__name__, it[1])),  # type: ignore[arg-type]
        ref_template=_REF,
    )
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hotline",
            "version": version,
            "description": "Calls, transcripts and cases of a city's lines. Refusals are RFC 9457 "
            "problems; the feed is the journal as server-sent events.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "hotline_session"},
                "token": {"type": "http", "scheme": "bearer"},
                "scraper": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(endpoint: Endpoint, refs: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.says,
        "parameters": [
            *_path_parts(endpoint),
            *_query_parts(endpoint.query),
            *_header_parts(endpoint),
        ],
        "responses": _responses(endpoint, refs),
        "security": _security(endpoint),
    }
    if endpoint.roles is not None:
        operation["description"] = f"For: {', '.join(sorted(endpoint.roles))}."
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[endpoint.body, "validation"]}},
        }
    if endpoint.upload is not None:
        body = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": {endpoint.upload: body}}
    return operation


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.is_open:
        return []
    ways: list[dict[str, list[str]]] = [{"session": []}, {"token": []}]
    return [*ways, {"scraper": []}] if endpoint.path == "/metrics" else ways


def _path_parts(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _path_part(name)}
        for name in endpoint.parts
    ]


def _path_part(name: str) -> dict[str, Any]:
    if ID.fullmatch(name):
        return {"type": "integer", "format": "int64", "minimum": 1}
    return {"type": "string", "pattern": f"^({PARTS[name]})$"}


def _header_parts(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "schema": {"type": "string", "maxLength": 200}}
        for name in endpoint.headers
    ]


def _query_parts(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    shared = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": _inlined(part, shared),
        }
        for name, part in schema["properties"].items()
    ]


def _inlined(part: Any, shared: dict[str, Any]) -> Any:
    """A parameter's schema with its references put in place: parameters have no room for them."""
    if isinstance(part, list):
        return [_inlined(it, shared) for it in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(shared[part["$ref"].rsplit("/", 1)[-1]], shared)
    return {key: _inlined(value, shared) for key, value in part.items()}


def _responses(endpoint: Endpoint, refs: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"type": "string"}}
    if endpoint.answers is not None:
        content = {"schema": refs[endpoint.answers, "serialization"]}
    if endpoint.events is not None:
        # OpenAPI 3.1 has no word for server-sent events: each name with the shape of its data.
        content["x-events"] = {
            name: refs[model, "serialization"] for name, model in endpoint.events.items()
        }
    good: dict[str, Any] = {"description": endpoint.says, "content": {endpoint.media: content}}
    statuses = (HTTPStatus.OK, *endpoint.also)
    if endpoint.upgrades is not None:
        told = f"{endpoint.says} A web socket with the subprotocol {endpoint.upgrades}."
        good, statuses = {"description": told}, (HTTPStatus.SWITCHING_PROTOCOLS,)
    responses: dict[str, Any] = {str(status.value): good for status in statuses}
    for status, faults in _refusals(endpoint).items():
        responses.setdefault(
            str(status.value),
            {
                "description": ", ".join(sorted(faults)),
                "content": {"application/problem+json": {"schema": refs[Problem, "serialization"]}},
            },
        )
    return dict(sorted(responses.items()))


def _refusals(endpoint: Endpoint) -> dict[HTTPStatus, set[str]]:
    faults = {*endpoint.faults, Fault.WRONG_HOST, Fault.DATABASE_DOWN, Fault.BROKEN}
    if not endpoint.is_open:
        faults |= {Fault.NOT_SIGNED_IN, Fault.PASSWORD_CHANGE_NEEDED, Fault.TOO_MANY_REQUESTS}
    if endpoint.roles is not None:
        faults.add(Fault.NOT_YOUR_ROLE)
    if endpoint.method != "GET":
        faults.add(Fault.FOREIGN_REQUEST)
    if endpoint.body is not None:
        faults |= {Fault.INVALID, Fault.NOT_JSON, Fault.TOO_LARGE}
    if endpoint.upload is not None:
        faults.add(Fault.TOO_LARGE)
    if endpoint.query is not None:
        faults.add(Fault.INVALID)
    found: dict[HTTPStatus, set[str]] = {}
    for fault in faults:
        found.setdefault(STATUS[fault], set()).add(str(fault))
    return found
