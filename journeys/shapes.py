"""The way through pydantic models by the location of a finding: which parts the author wrote, which keys fit there.

A location names tags and members of unions between the keys; only the models tell which is which.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from journeys.places import Path

Location = Sequence[str | int]


def written_path(model: type[BaseModel], location: Location) -> Path:
    """The location without what pydantic put between the keys and positions that the author wrote."""
    return tuple(part for part, _, written in _walk(model, location) if written)


def allowed_keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys of the object at the location, as authors write them; empty where it is no model."""
    shapes = [shape for _, shape, _ in _walk(model, location)]
    shape = _only_member(shapes[-1] if shapes else model)
    return [info.alias or name for name, info in shape.model_fields.items()] if _is_model(shape) else []


def _walk(model: type[BaseModel], location: Location) -> Iterator[tuple[str | int, Any, bool]]:
    """Each part of the location with the shape it leads to, and whether the author wrote that part."""
    shape: Any = model
    for part in location:
        member = _member(shape, part)
        shape = _inside(_only_member(shape), part) if member is None else member
        yield part, shape, member is None


def _member(shape: Any, part: str | int) -> Any:
    """The member of a union that `part` names by its tag; None where the shape is no tagged union."""
    members = _members(shape)
    return next((member for member, tag in members if tag == part), None) if len(members) > 1 else None


def _members(shape: Any) -> list[tuple[Any, str | None]]:
    """The members of a union with their tags, flattened and without None; the shape itself where it is no union."""
    tag = next((item.tag for item in getattr(shape, "__metadata__", ()) if isinstance(item, Tag)), None)
    bare = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    if get_origin(bare) not in (Union, UnionType):
        return [] if bare is NoneType else [(bare, tag)]
    nested = [inner for member in get_args(bare) for inner in _members(member)]
    return [(bare, tag)] if tag else nested


def _only_member(shape: Any) -> Any:
    members = _members(shape)
    return members[0][0] if len(members) == 1 else shape


def _inside(shape: Any, part: str | int) -> Any:
    """The shape below a key or position; None where nothing is known of it."""
    if _is_model(shape):
        fields = shape.model_fields
        return next((info.annotation for name, info in fields.items() if part in (info.alias or name, name)), None)
    origin, arguments = get_origin(shape), get_args(shape)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return arguments[1]
    return arguments[0] if origin in (tuple, list, frozenset) and arguments else None


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)
