"""How rows are made into classes of other kinds than the plain ones, which C reads itself.

It is asked once, when a reader is made.  Such a class is called with keywords, so that the order
of the columns never matters.
"""

import dataclasses
import inspect
import sys
from typing import (
    Annotated,
    Any,
    NamedTuple,
    NoReturn,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from native_generators._native import CSVRow, _Converter

TEXT = (str, Any, object)


class Parameter(NamedTuple):
    """What C reads: see csv_signature_of_description()."""

    names: tuple[str, ...]  # of the column, whichever the file has
    keyword: str | None  # None: the name that was found
    hint: Any  # None: text
    optional: bool
    loose: bool  # the class itself converts text; what C can't read is left to it


Hints = dict[str, Any]
Table = dict[Any, Any]  # what stands for each TypeVar


def describe(into: Any) -> tuple[Any, list[Parameter] | None] | None:
    """The class, and what it is called with; or a type of rows and None.  None for a callable
    that is given the fields as they come."""
    origin = get_origin(into)
    if origin is None:
        parameters = parameters_of(into, {})
        return None if parameters is None else (into, parameters)
    if origin in (list, tuple, dict, CSVRow):
        return row_type(into, origin), None
    if origin is Annotated or not isinstance(origin, type):
        refuse(into, 'it is not a class')
    table = dict(zip(getattr(origin, '__parameters__', ()), get_args(into), strict=False))
    parameters = parameters_of(origin, table)
    if parameters is None:
        parameters = plain_parameters(origin, table)
    return origin, parameters


def refuse(into: Any, why: str) -> NoReturn:
    raise TypeError(f'into: rows can not be made into {into!r}: {why}')


def row_type(into: Any, origin: Any) -> Any:
    """list of list[str], and so on: its fields must be text."""
    args = get_args(into)
    if origin is dict:
        fine = args[0] in (str, Any) and args[1] in TEXT
    elif origin is tuple:
        fine = len(args) == 2 and args[0] in TEXT and args[1] is ...
    else:
        fine = args[0] in TEXT
    if not fine:
        refuse(into, f'say into={origin.__name__} and types={{None: ...}} for all columns')
    return origin


def parameters_of(cls: Any, table: Table) -> list[Parameter] | None:
    mro = cls.__mro__
    if dict in mro and hasattr(cls, '__required_keys__'):
        return typed_dict_parameters(cls, table)
    if hasattr(cls, '__pydantic_validator__') or hasattr(cls, '__pydantic_fields__'):
        return pydantic_parameters(cls)
    if hasattr(cls, '__fields__') and hasattr(cls, '__config__') and hasattr(cls, '__validators__'):
        return pydantic_1_parameters(cls)
    if hasattr(cls, '__struct_fields__') and 'msgspec' in sys.modules:
        return struct_parameters(cls, table)
    if hasattr(cls, '__attrs_attrs__'):
        return called_parameters(cls, attrs_fields(cls, table), table)
    if dataclasses.is_dataclass(cls):
        return called_parameters(cls, data_fields(cls, table), table)
    if tuple in mro and hasattr(cls, '_fields'):
        return named_tuple_parameters(cls, table)
    return None


# ---- annotations ----


def hints_of(thing: Any, table: Table) -> Hints:
    try:
        hints = get_type_hints(thing, include_extras=True)
    except Exception as error:
        name = getattr(thing, '__qualname__', thing)
        raise TypeError(f"the annotations of {name} can't be resolved: {error}") from error
    return {name: filled(plain(hint), table) for name, hint in hints.items()}


def plain(hint: Any) -> Any:
    """The hint without InitVar and what a TypedDict says of its keys."""
    if isinstance(hint, dataclasses.InitVar):
        return hint.type
    while getattr(get_origin(hint), '_name', None) in ('Required', 'NotRequired', 'ReadOnly'):
        hint = hint.__args__[0]
    return hint


def filled(hint: Any, table: Table) -> Any:
    """The hint with what stands for its TypeVars."""
    if isinstance(hint, TypeVar):
        return table.get(hint, hint)
    parameters = () if isinstance(hint, type) else getattr(hint, '__parameters__', ())
    return hint[tuple(table.get(p, p) for p in parameters)] if parameters and table else hint


# ---- kinds of classes ----


def typed_dict_parameters(cls: Any, table: Table) -> list[Parameter]:
    return [
        Parameter((name,), name, hint, name not in cls.__required_keys__, False)
        for name, hint in hints_of(cls, table).items()
    ]


def named_tuple_parameters(cls: Any, table: Table) -> list[Parameter]:
    hints = hints_of(cls, table)
    return [
        Parameter((name,), name, hints.get(name), name in cls._field_defaults, False)
        for name in cls._fields
    ]


def pydantic_parameters(cls: Any) -> list[Parameter]:
    fields = getattr(cls, '__pydantic_fields__', None)
    if fields is None:
        fields = cls.model_fields
    config = getattr(cls, 'model_config', None) or getattr(cls, '__pydantic_config__', None) or {}
    by_name = config.get('populate_by_name') or config.get('validate_by_name')
    parameters = []
    for name, info in fields.items():
        if getattr(info, 'init', None) is False:
            continue
        names = pydantic_names(cls, name, info)
        if by_name and config.get('validate_by_alias') is False:
            names = (name,)
        elif by_name and name not in names:
            names = (*names, name)
        hint = info.annotation
        for note in info.metadata:
            if isinstance(note, _Converter):
                hint = Annotated[hint, note]
        parameters.append(Parameter(names, None, hint, not info.is_required(), True))
    return parameters


def pydantic_names(cls: Any, name: str, info: Any) -> tuple[str, ...]:
    """The names by which a field may be given."""
    alias = info.validation_alias or info.alias or name
    choices = tuple(getattr(alias, 'choices', (alias,)))
    if not all(isinstance(choice, str) for choice in choices):
        refuse(cls, f'a column can not be found by the alias of {name!r}: {alias!r}')
    return choices


def pydantic_1_parameters(cls: Any) -> list[Parameter]:
    by_name = getattr(cls.__config__, 'allow_population_by_field_name', False)
    parameters = []
    for name, field in cls.__fields__.items():
        names = (field.alias, name) if by_name and field.alias != name else (field.alias,)
        parameters.append(Parameter(names, None, field.annotation, not field.required, True))
    return parameters


def struct_parameters(cls: Any, table: Table) -> list[Parameter]:
    fields = sys.modules['msgspec'].structs.fields(cls)
    return [
        Parameter((f.encode_name,), f.name, filled(f.type, table), not f.required, False)
        for f in fields
    ]


def attrs_fields(cls: Any, table: Table) -> dict[str, Parameter]:
    nothing = sys.modules['attr'].NOTHING
    hints = hints_of(cls, table)
    fields = {}
    for field in cls.__attrs_attrs__:
        if field.init:
            keyword = field.alias or field.name.lstrip('_')
            names = (keyword,) if keyword == field.name else (keyword, field.name)
            hint = hints.get(field.name, filled(field.type, table))
            loose = field.converter is not None
            optional = field.default is not nothing
            fields[keyword] = Parameter(names, keyword, hint, optional, loose)
    return fields


def data_fields(cls: Any, table: Table) -> dict[str, Parameter]:
    hints = hints_of(cls, table)
    fields = {}
    for field in dataclasses.fields(cls):
        if field.init:
            missing = dataclasses.MISSING
            optional = field.default is not missing or field.default_factory is not missing
            hint = hints.get(field.name)
            fields[field.name] = Parameter((field.name,), field.name, hint, optional, False)
    return fields


# ---- what a class is called with ----


def signature_of(cls: Any) -> list[inspect.Parameter]:
    """The parameters of __init__, which the metaclass may know nothing of, after self."""
    try:
        return list(inspect.signature(cls.__init__).parameters.values())[1:]
    except (TypeError, ValueError) as error:
        raise TypeError(
            f'into: the parameters of {cls.__qualname__}.__init__ are not known: {error}'
        ) from error


def called_parameters(cls: Any, fields: dict[str, Parameter], table: Table) -> list[Parameter]:
    """The named parameters of __init__; and, if that takes any keyword, the other fields."""
    found: dict[str, Parameter] = {}
    hints: Hints | None = None
    given = signature_of(cls)
    for p in given:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        optional = p.default is not p.empty
        if p.kind is p.POSITIONAL_ONLY:
            if not optional:
                refuse(cls, f'{p.name!r} can not be given by name')
            continue
        field = fields.get(p.name)
        if field is None:
            hints = hints_of(cls, table) if hints is None else hints
            field = Parameter((p.name,), p.name, hints.get(p.name), optional, False)
        found[p.name] = field._replace(optional=optional)
    if any(p.kind is p.VAR_KEYWORD for p in given):
        found = {**fields, **found}
    elif any(p.kind is p.VAR_POSITIONAL for p in given) and not fields.keys() <= found.keys():
        refuse(cls, 'its __init__ takes values without names')
    return list(found.values())


def plain_parameters(cls: Any, table: Table) -> list[Parameter]:
    """Those of a generic class of no known kind, such as Pair of Pair[int]."""
    hints = hints_of(cls.__init__, table)
    fields = {
        p.name: Parameter((p.name,), p.name, hints.get(p.name), p.default is not p.empty, False)
        for p in signature_of(cls)
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }
    if not fields:
        refuse(cls, 'its __init__ names no parameters')
    return called_parameters(cls, fields, table)
