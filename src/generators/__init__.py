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

from native_generators import *
from native_generators import __version__ as __version__

__all__: list[str] = []
__all__ += native_generators.__all__


def __getattr__(name: str) -> object:
    """A submodule, loaded when it is first used."""
    if name in native_generators.SUBMODULES:
        from importlib import import_module

        return import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
