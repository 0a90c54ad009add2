"""GitHub's own description of its REST API, as the models and methods of githubkit, which are generated from it.

`Call` checks a request and the answer to it: githubkit, asked for the same with the same values, must make the same
request and accept the answer, and nothing may be in either that the description does not know.
"""

import inspect
import json
import re
from datetime import datetime
from types import NoneType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import httpx
from githubkit import GitHub, TokenAuthStrategy
from githubkit.compat import GitHubModel
from githubkit.exception import RequestFailed
from githubkit.typing import Missing  # noqa: F401 (the annotations name it)
from githubkit_schemas.v2022_11_28 import models
from pydantic import TypeAdapter, ValidationError

VERSION = "2022-11-28"


class ViolationError(Exception):
    """A request or an answer that is not as GitHub describes it."""


class Call:
    """One operation of the description, such as `issues.create_comment`: its method, its path, its types."""

    def __init__(self, operation):
        self.operation = operation
        described = self._method(_client(None))
        self.http_method, template = inspect.getdoc(described).splitlines()[2].split()
        self.path = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
        self._parameters = inspect.signature(described).parameters
        data = self._parameters.get("data")
        self._body = getattr(models, re.search(r"\[(\w+)Type\]", data.annotation)[1]) if data else None

    def read(self, query, body):
        """The values of a request, each checked against its type. Raises ViolationError."""
        try:
            return self._query(query), self._fields(body)
        except ValidationError as error:
            raise ViolationError(f"{self.operation}: {error}") from error

    def check(self, request, path_values, status, answer):
        """Raises ViolationError unless githubkit makes this request, and accepts the answer to it."""
        seen = []

        def transport(built):
            seen.append((built.method, built.url.raw_path.decode(), built.content))
            return httpx.Response(status, json=answer)

        query, fields = self.read(request.query, request.body)
        arguments = {**path_values, **query} | ({} if fields is None else {"data": fields})
        client = _client(transport)
        try:
            if _dumped(_parsed(self._method(client), arguments)) not in (None, answer):
                raise ViolationError(f"{self.operation}: the answer holds what is not described: {answer}")
        except (ValidationError, TypeError) as error:
            raise ViolationError(f"{self.operation}: {error}") from error
        self._compare_request(request, seen[0])

    def _method(self, client):
        group, name = self.operation.split(".")
        return getattr(getattr(client.rest(VERSION), group), name)

    def _query(self, query):
        pairs = parse_qsl(query, keep_blank_values=True)
        if {name for name, _ in pairs} - self._parameters.keys() or len(dict(pairs)) != len(pairs):
            raise ViolationError(f"{self.operation}: unknown or repeated in the query {query}")
        return {name: _type(self._parameters[name].annotation).validate_python(value) for name, value in pairs}

    def _fields(self, body):
        if self._body is None or not body:
            if body or self._body:
                raise ViolationError(f"{self.operation}: a body that is not described, or none where one is")
            return None
        fields = json.loads(body)
        if _dumped(TypeAdapter(self._body).validate_python(fields)) != fields:
            raise ViolationError(f"{self.operation}: the body holds what is not described: {fields}")
        return fields

    def _compare_request(self, request, built):
        method, target, content = built
        path, _, query = target.partition("?")
        same = (method, path) == (request.method, request.path)
        if not same or sorted(parse_qsl(query)) != sorted(parse_qsl(request.query)):
            raise ViolationError(
                f"{self.operation}: {request.method} {request.path}?{request.query} instead of {built}"
            )
        if (json.loads(content) if content else None) != (json.loads(request.body) if request.body else None):
            raise ViolationError(f"{self.operation}: the body {request.body} instead of {content}")


def _parsed(method, arguments):
    """The answer as it is understood; None for a refusal that is, as GitHub's refusals say more than is described."""
    try:
        return method(**arguments).parsed_data
    except RequestFailed as refusal:
        refusal.response.parsed_data  # noqa: B018 (reading it is the check)
        return None


def _client(transport):
    return GitHub(
        TokenAuthStrategy("any"),
        transport=httpx.MockTransport(transport),
        auto_retry=False,
        http_cache=False,
    )


def completed(model, facts):
    """JSON of a model with these facts; whatever else it requires gets a value of its type. `facts` may nest."""
    whole = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in facts or field.is_required():
            whole[key] = _value(field.annotation, facts.get(key, ...))
    return whole | {key: value for key, value in facts.items() if key not in whole}


def _value(kind, fact):
    """The fact, completed where it is an object; without one, the plainest value of the type."""
    options = _options(kind)
    if isinstance(fact, dict):
        return completed(
            next(each for each in options if isinstance(each, type) and issubclass(each, GitHubModel)), fact
        )
    if fact is not ...:
        return fact
    if NoneType in options:
        return None
    plain = {str: "x", int: 1, float: 1.0, bool: False, datetime: "2026-01-05T14:00:00Z", list: [], dict: {}}
    first = options[0]
    if get_origin(first) is Literal:
        return get_args(first)[0]
    if isinstance(first, type) and issubclass(first, GitHubModel):
        return completed(first, {})
    return plain[get_origin(first) or first]


def _options(kind):
    """The types of a union, without the one that stands for a missing value."""
    if get_origin(kind) is Annotated:
        return _options(get_args(kind)[0])
    if get_origin(kind) is Union:
        return [option for each in get_args(kind) for option in _options(each)]
    return [] if "UNSET" in repr(kind) else [kind]


def _dumped(value):
    """JSON of what was read, with nothing in it that was not understood."""
    if isinstance(value, list):
        return [_dumped(each) for each in value]
    if isinstance(value, GitHubModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return value


def _type(annotation):
    """The type that an annotation of a query parameter spells, such as `Missing[Literal['open', 'closed', 'all']]`."""
    spelled = type("Spelled", (), {"__annotations__": {"it": annotation}, "__module__": __name__})
    return TypeAdapter(get_type_hints(spelled, include_extras=True)["it"])
