"""The contract as documents that other languages read: a JSON Schema (2020-12) for each event type, one AsyncAPI 3.

Pure functions of the catalogue and its models; `schemas.checked_in` knows the files.
"""

import json
from typing import Any, Final

from schemas.asyncapi import asyncapi
from schemas.catalogue import MODELS, EventType
from schemas.health import HEALTH_TYPE, StoreHealth

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI_FILE: Final = "asyncapi.json"

Document = dict[str, Any]


def event_schema(name: EventType) -> Document:
    """Return the JSON Schema of the type's data: what a record's value may hold."""
    return {"$schema": DIALECT, **MODELS[name].model_json_schema(mode="validation")}


def schema_file(name: str) -> str:
    """Return the file name of a type's JSON Schema."""
    return f"{name}.json"


def documents() -> dict[str, Document]:
    """Return every generated document by its file name."""
    schemas = {schema_file(name): event_schema(name) for name in MODELS}
    health = {"$schema": DIALECT, **StoreHealth.model_json_schema(mode="validation")}
    return {ASYNCAPI_FILE: asyncapi(schema_file), **schemas, schema_file(HEALTH_TYPE): health}


def to_text(document: Document) -> str:
    """Return the one text of a document: sorted keys, two spaces, one newline at the end."""
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=True) + "\n"
