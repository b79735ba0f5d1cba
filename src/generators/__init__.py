"""The short name of ``native_generators``: the same objects, and the same submodules.

``native_generators`` is the package, with the extension in it.  Import it by that name where
another ``generators`` is in the way: a module of a program's own, or the older, unrelated
distribution ``generators``.
"""

try:
    import native_generators
except ModuleNotFoundError as _error:
    if _error.name != 'native_generators':
        raise
    raise ModuleNotFoundError(
        'generators is the short name of native_generators, which is not installed: '
        'run `pip install native-generators`, or `pip install .` in a checkout',
        name='native_generators',
    ) from None

from native_generators import __version__ as __version__

__all__: list[str] = []
__all__ += native_generators.__all__

for _name in __all__:
    if _name not in native_generators.LAZY:
        globals()[_name] = getattr(native_generators, _name)


def __getattr__(name: str) -> object:
    """A submodule or a name of one, loaded when it is first used."""
    if name in native_generators.SUBMODULES:
        from importlib import import_module

        value: object = import_module(f'{__name__}.{name}')
    elif name in native_generators.LAZY:
        value = getattr(native_generators, name)
    else:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *native_generators.SUBMODULES})
