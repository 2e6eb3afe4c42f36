"""Reads the YAML files a city keeps; every fault becomes one sentence that names the place.

Only plain data is accepted (YAML's safe subset), no key may stand twice, and pydantic checks the
shape. The files are small. `read_document` stops at the first fault; `examined` tells them all.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from routing.errors import DataFault


class Document(BaseModel):
    """A part of a YAML file: unknown keys are faults, because they are usually typing errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


D = TypeVar("D", bound=BaseModel)


class StrictLoader(yaml.CSafeLoader):
    """YAML's safe subset in which a repeated key is a fault instead of a silent overwrite.

    By libyaml, which PyYAML's wheels bring: the cities that ship are read 13 times as fast.
    """


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a file, and where."""

    path: Path
    line: int | None
    sentence: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{self.path}: {place}{self.sentence}"


class Lines:
    """Finds the line of a file on which a part of its content stands."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._root = root

    def of(self, *place: object) -> int | None:
        """The line of the deepest part of `place` that is there, counted from one."""
        node = self._root
        for part in place:
            inner = _inside(node, part)
            if inner is None:
                break
            node = inner
        return node.start_mark.line + 1 if node is not None and node.start_mark else None


def _inside(node: yaml.Node | None, part: object) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        inner: yaml.Node = node.value[part]
        return inner
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined(Generic[D]):
    """A file's content, None where its shape is wrong; its lines; and every fault of its shape."""

    content: D | None
    lines: Lines
    faults: tuple[Fault, ...]


def examined(path: Path, shape: type[D]) -> Examined[D]:
    """Read one YAML file and tell every fault of its shape; never raises."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _failed(path, f"it cannot be read: {_reason(error)}.")
    try:
        root, content = _read(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        return _failed(path, f"it is not valid YAML{_place(error)}.", _line(error))
    if not isinstance(content, dict):
        return _failed(path, "it must hold keys and values, and does not.")
    lines = Lines(root)
    try:
        return Examined(content=shape.model_validate(content), lines=lines, faults=())
    except ValidationError as error:
        return Examined(content=None, lines=lines, faults=tuple(_faults(path, lines, error)))


def _read(text: str) -> tuple[yaml.Node | None, object]:
    loader = StrictLoader(text)
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def _failed(path: Path, sentence: str, line: int | None = None) -> Examined[D]:
    fault = Fault(path=path, line=line, sentence=sentence)
    return Examined(content=None, lines=Lines(None), faults=(fault,))


def _faults(path: Path, lines: Lines, error: ValidationError) -> Iterable[Fault]:
    for one in error.errors(include_url=False, include_context=False):
        place = ".".join(str(part) for part in one["loc"])
        said = one["msg"].removeprefix("Value error, ").rstrip(".")
        yield Fault(
            path=path,
            line=lines.of(*one["loc"]),
            sentence=f"{place}: {said}." if place else f"{said}.",
        )


def read_document(path: Path, shape: type[D]) -> D:
    """Return the checked content of one YAML file.

    Raises:
        DataFault: the file is missing, is no YAML, or does not have the shape.
    """
    found = examined(path, shape)
    if found.content is None:
        raise fault_of(found.faults)
    return found.content


def faults(path: Path, shape: type[Document]) -> tuple[str, ...]:
    """Return one sentence for each fault of a file, none when it can be used."""
    return tuple(map(str, examined(path, shape).faults))


def fault_of(faults: tuple[Fault, ...]) -> DataFault:
    """One error for faults: the first one's sentence, and how many more there are."""
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    return DataFault(f"{str(faults[0]).removesuffix('.')}{more}.", path=faults[0].path)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return error.strerror or "the system gave no reason"


def _line(error: Exception) -> int | None:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return int(error.problem_mark.line) + 1
    return None


def _place(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f": line {mark.line + 1}, column {mark.column + 1}, {error.problem}"
    return f": {str(error).splitlines()[0]}" if str(error) else ""
