"""Reads the YAML files a city keeps; every fault becomes one sentence that names the place.

Only plain data is accepted (YAML's safe subset), no key may stand twice, and pydantic checks the
shape. The files are small; they are read once at start.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from routing.errors import DataFault


class Document(BaseModel):
    """A part of a YAML file: unknown keys are faults, because they are usually typing errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


D = TypeVar("D", bound=Document)


class StrictLoader(yaml.SafeLoader):
    """YAML's safe subset in which a repeated key is a fault instead of a silent overwrite."""


def _mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[Hashable, object]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, Hashable) or key in seen:
            mark = key_node.start_mark
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_document(path: Path, shape: type[D]) -> D:
    """Return the checked content of one YAML file.

    Raises:
        DataFault: the file is missing, is no YAML, or does not have the shape.
    """
    content = _content(path)
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise DataFault(f"{path}: {sentence(error)}", path=path) from error


def faults(path: Path, shape: type[Document]) -> tuple[str, ...]:
    """Return one sentence for each fault of a file, none when it can be used."""
    try:
        shape.model_validate(_content(path))
    except ValidationError as error:
        return tuple(f"{path}: {one}." for one in _each(error))
    except DataFault as error:
        return (str(error),)
    return ()


def _content(path: Path) -> dict[object, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFault(f"{path} cannot be read: {_reason(error)}.", path=path) from error
    try:
        content = yaml.load(text, Loader=StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        raise DataFault(f"{path} is not valid YAML{_place(error)}.", path=path) from error
    if not isinstance(content, dict):
        raise DataFault(f"{path} must hold keys and values, and does not.", path=path)
    return content


def sentence(error: ValidationError) -> str:
    """Say the first fault of a validation, and how many more there are."""
    more = error.error_count() - 1
    tail = f" (and {more} more)" if more else ""
    return f"{_each(error)[0]}{tail}."


def _each(error: ValidationError) -> list[str]:
    """Every fault with its place, without a full stop."""
    return [
        f"{'.'.join(str(part) for part in it['loc']) or 'the file'}: "
        f"{it['msg'].removeprefix('Value error, ').rstrip('.')}"
        for it in error.errors(include_url=False, include_context=False)
    ]


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return error.strerror or "the system gave no reason"


def _place(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f": line {mark.line + 1}, column {mark.column + 1}, {error.problem}"
    return f": {str(error).splitlines()[0]}" if str(error) else ""
