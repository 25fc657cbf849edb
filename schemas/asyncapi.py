"""The AsyncAPI 3.0.0 document: which topic carries which events, with which headers and key."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.catalogue import MODELS, STREAMS, EventType, Stream
from schemas.health import HEALTH_TOPIC, HEALTH_TYPE, StoreHealth
from schemas.identifiers import ConversationId
from schemas.limits import EVENT_ID_CHARS_MAX, SOURCE_CHARS_MAX
from schemas.times import RFC3339

TOPICS: Final = {stream: f"lync.{stream}" for stream in Stream}
"""The topics' default names; an installation may give them others."""

_KAFKA_BINDING: Final = "0.5.0"
_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"


def asyncapi(schema_file: Callable[[str], str]) -> dict[str, Any]:
    """Return the document; payloads refer to the files that `schema_file` names, beside it."""
    carried = {stream: [name for name in MODELS if STREAMS[name] is stream] for stream in Stream}
    carrying = {stream: names for stream, names in carried.items() if names}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lync events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 over Kafka: written in binary mode, read in structured mode as well.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            **{str(stream): _channel(stream, names) for stream, names in carrying.items()},
            "health": _health_channel(),
        },
        "operations": {
            f"{verb}-{stream}": _operation(action, stream, names)
            for stream, names in carrying.items()
            for verb, action in (("report", "send"), ("archive", "receive"))
        }
        | {"report-health": _health_operation("send"), "heed-health": _health_operation("receive")},
        "components": {
            "messages": {
                **{str(name): _message(name, schema_file(name)) for name in MODELS},
                HEALTH_TYPE: _health_message(schema_file(HEALTH_TYPE)),
            }
        },
    }


def _channel(stream: Stream, names: list[EventType]) -> dict[str, Any]:
    return {
        "address": TOPICS[stream],
        "messages": {str(name): {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": TOPICS[stream], "bindingVersion": _KAFKA_BINDING}},
    }


def _health_channel() -> dict[str, Any]:
    kafka = {"topic": HEALTH_TOPIC, "partitions": 1, "topicConfiguration": {"cleanup.policy": ["compact"]}}
    return {
        "address": HEALTH_TOPIC,
        "description": "Of each archiver the newest report; one without a value takes back what it said.",
        "messages": {HEALTH_TYPE: {"$ref": f"#/components/messages/{HEALTH_TYPE}"}},
        "bindings": {"kafka": {**kafka, "bindingVersion": _KAFKA_BINDING}},
    }


def _health_operation(action: str) -> dict[str, Any]:
    messages = [{"$ref": f"#/channels/health/messages/{HEALTH_TYPE}"}]
    return {"action": action, "channel": {"$ref": "#/channels/health"}, "messages": messages}


def _health_message(file: str) -> dict[str, Any]:
    attributes: dict[str, dict[str, Any]] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"minLength": 1},
        "ce_source": {"description": "The archiver."},
        "ce_type": {"const": HEALTH_TYPE},
        "ce_time": {"pattern": f"^{RFC3339}$"},
        "content-type": {"const": "application/json"},
    }
    headers = {header: {"type": "string", **rules} for header, rules in attributes.items()}
    key = {"type": "string", "description": "The archiver's name, as in the payload."}
    return {
        "name": HEALTH_TYPE,
        "title": StoreHealth.__name__,
        "summary": (StoreHealth.__doc__ or "").split("\n", 1)[0],
        "contentType": "application/json",
        "headers": {"type": "object", "properties": headers, "required": sorted(attributes)},
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./{file}"}},
        "bindings": {"kafka": {"key": key, "bindingVersion": _KAFKA_BINDING}},
    }


def _operation(action: str, stream: Stream, names: list[EventType]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{stream}"},
        "messages": [{"$ref": f"#/channels/{stream}/messages/{name}"} for name in names],
    }


def _message(name: EventType, file: str) -> dict[str, Any]:
    key = TypeAdapter(ConversationId).json_schema()
    return {
        "name": str(name),
        "title": MODELS[name].__name__,
        "summary": (MODELS[name].__doc__ or "").split("\n", 1)[0],
        "contentType": "application/json",
        "headers": _headers(name),
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./{file}"}},
        "bindings": {
            "kafka": {
                "key": {"description": "The conversation's id, as in the payload.", **key},
                "bindingVersion": _KAFKA_BINDING,
            }
        },
    }


def _headers(name: EventType) -> dict[str, Any]:
    attributes: dict[str, dict[str, Any]] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"minLength": 1, "maxLength": EVENT_ID_CHARS_MAX},
        "ce_source": {"minLength": 1, "maxLength": SOURCE_CHARS_MAX},
        "ce_type": {"const": str(name)},
        "ce_time": {"pattern": f"^{RFC3339}$", "description": "RFC 3339 with a time zone, up to nanoseconds."},
        "ce_sequence": {
            "pattern": "^[1-9][0-9]{0,18}$",
            "description": "The event's place in its conversation, 1 to 2^63-1, without holes.",
        },
    }
    return {
        "type": "object",
        "properties": {
            **{header: {"type": "string", **rules} for header, rules in attributes.items()},
            "content-type": {"type": "string", "const": "application/json"},
        },
        "required": sorted(attributes),
    }
