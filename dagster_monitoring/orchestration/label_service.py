"""Labels over HTTP: what ``report_labels`` does, for programs in other places and languages."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dagster_monitoring.errors import DataError, MonitoringError, UnknownNameError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import Clock, utc_now
from dagster_monitoring.orchestration.push import as_table, take_pushed
from dagster_monitoring.sources import LABEL_FIELDS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

_LOG = logging.getLogger(__name__)
_LONGEST_TEXT = 2_000
# Beside the ledger's own a feed may know one column: the time that labels are joined by.
_OTHERS = 2
MAX_BODY_BYTES = 64 * 1024 * 1024
ARROW = "application/vnd.apache.arrow.stream"
_UNAUTHORISED, _NOT_FOUND, _TOO_LARGE, _UNKNOWN_TYPE, _BAD, _UNAVAILABLE = (
    401, 404, 413, 415, 400, 503,
)  # fmt: skip


class _RefusedError(Exception):
    """A request that is not taken, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def build_label_service(
    models: Mapping[str, MonitoredModel], *, token: str, clock: Clock = utc_now
) -> Starlette:
    """An ASGI application that takes labels: ``POST /models/{model}/labels``.

    The request carries ``Authorization: Bearer <token>`` and either JSON, ``{"labels":
    [{"prediction_id": ..., "label": ..., "available_at": ..., "revision": ...}, ...]}``, or an
    Arrow stream of these columns. The answer counts what was new; sending the same again is safe.
    A body over 64 MiB, a wrong token, an unknown model or a bad column is refused whole, with a
    JSON ``error`` that says what to do.

    Args:
        models: the declarations, by name.
        token: the secret that callers show; not empty.
        clock: gives the moment from which labels without ``available_at`` are available.

    Raises:
        ValueError: the token is empty.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    if not token:
        raise ValueError("an empty token would let everybody in")

    async def labels(request: Request) -> JSONResponse:
        return await _answer(request, models, token=token, clock=clock)

    async def health(request: Request) -> JSONResponse:
        del request
        return _json({"status": "ok"}, 200)

    return Starlette(
        routes=[
            Route("/models/{model}/labels", labels, methods=["POST"]),
            Route("/health", health),
        ],
        # Everything is answered in JSON, and nothing that it says comes from an exception's text.
        exception_handlers={
            404: _refuse(_NOT_FOUND, "there are POST /models/{model}/labels and GET /health"),
            405: _refuse(405, "labels are sent with POST /models/{model}/labels"),
            500: _refuse(500, "the service failed: its log says why. Send the same again later"),
        },
    )


def _refuse(status: int, message: str) -> Callable[[Request, Exception], JSONResponse]:
    def answer(request: Request, error: Exception) -> JSONResponse:
        del request, error
        return _json({"error": message}, status)

    return answer


async def _answer(
    request: Request, models: Mapping[str, MonitoredModel], *, token: str, clock: Clock
) -> JSONResponse:
    from starlette.concurrency import run_in_threadpool

    try:
        _authorise(request, token)
        model = _model(request.path_params["model"], models)
        read = _reader(request.headers.get("content-type", ""))
        body = await _body(request)
        taken = await run_in_threadpool(lambda: _take(model, read(body), clock))
    except _RefusedError as error:
        return _json({"error": str(error)}, error.status)
    except DataError as error:
        return _json({"error": str(error)}, _BAD)
    except MonitoringError as error:
        # Where the store is, and as whom it is opened, is not the callers' to know.
        _LOG.error("labels of %s were not taken: %s", request.path_params["model"], error)
        text = "the labels can't be kept now: the service's log says why. Send the same again later"
        return _json({"error": text}, _UNAVAILABLE)
    return _json(taken, 200)


def _authorise(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # A header comes as Latin-1, one character a byte; the time taken tells nothing of the token.
    right = hmac.compare_digest(given.encode("latin-1"), token.encode())
    if scheme.lower() != "bearer" or not right:
        raise _RefusedError(
            _UNAUTHORISED, "the header 'Authorization: Bearer <token>' is missing or wrong"
        )


def _model(name: str, models: Mapping[str, MonitoredModel]) -> MonitoredModel:
    if name not in models:
        raise _RefusedError(_NOT_FOUND, str(UnknownNameError("model", name, models)))
    return models[name]


def _reader(content_type: str) -> Callable[[bytes], pa.Table]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == ARROW:
        return _from_arrow
    if kind == "application/json":
        return _from_json
    raise _RefusedError(
        _UNKNOWN_TYPE, f"content type {kind!r} is not known: send application/json or {ARROW}"
    )


async def _body(request: Request) -> bytes:
    """The body, as long as it stays within bounds; its announced length is not trusted."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _RefusedError(
                _TOO_LARGE,
                f"the body is larger than {MAX_BODY_BYTES} bytes: send the labels in parts",
            )
        parts.append(part)
    return b"".join(parts)


def _from_json(body: bytes) -> pa.Table:
    try:
        rows = json.loads(body)["labels"]
        names = {name for row in rows for name in row}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _RefusedError(
            _BAD, 'the body is not JSON of the form {"labels": [{"prediction_id": ...}, ...]}'
        ) from error
    # Rows that each have names of their own would make a column each; one too many is refused.
    ordered = [name for name in LABEL_FIELDS if name in names]
    ordered += sorted(names - set(LABEL_FIELDS), key=str)[:_OTHERS]
    try:
        return pa.table({name: pa.array([row.get(name) for row in rows]) for name in ordered})
    except (pa.ArrowException, AttributeError) as error:
        raise _RefusedError(_BAD, f"the labels' values are of unlike types: {error}") from error
    except UnicodeEncodeError as error:
        raise _RefusedError(_BAD, "a text holds half of a surrogate pair") from error
    except OverflowError as error:
        raise _RefusedError(_BAD, "a number is larger than 64 bits") from error


def _from_arrow(body: bytes) -> pa.Table:
    try:
        table = pa.ipc.open_stream(body).read_all()
        # Lengths and offsets are the caller's words: what trusts them reads beyond its memory.
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise _RefusedError(_BAD, f"the body is no Arrow stream: {error}") from error
    return table


def _take(model: MonitoredModel, labels: pa.Table, clock: Clock) -> dict[str, int]:
    with open_backend(model) as backend:
        taken = asdict(take_pushed(backend, as_table(labels), now=clock()))
    return {name: value for name, value in taken.items() if isinstance(value, int)}


def _json(content: Mapping[str, Any], status: int) -> JSONResponse:
    from starlette.responses import JSONResponse

    text = {n: _valid(v) if isinstance(v, str) else v for n, v in content.items()}
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status == _UNAUTHORISED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(text, status_code=status, headers=headers)


def _valid(text: str) -> str:
    """Text that can be encoded and is no longer than a message should be."""
    return text[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
