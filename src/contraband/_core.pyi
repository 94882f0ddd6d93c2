# The typed face of the compiled core; `make check` compares it with the module itself.

from typing import Any, final

__all__ = [
    "PLAN_VERSION",
    "Engine",
    "PlanError",
    "Scan",
    "Watch",
    "__version__",
    "decode",
    "function_names",
    "source_names",
]

__version__: str
PLAN_VERSION: int

class PlanError(ValueError): ...

@final
class Engine:
    def __new__(cls, rules: bytes, options: dict[str, Any], stored: bytes | None = None) -> Engine: ...
    def stored(self) -> bytes: ...
    def explain(self) -> bytes: ...
    def scan(self, inputs: list[str | bytes], options: dict[str, Any]) -> Scan: ...

@final
class Scan:
    def next(self) -> bytes | None: ...
    def watch(self) -> Watch: ...
    def summary(self) -> dict[str, Any]: ...
    def stop(self) -> None: ...

@final
class Watch:
    def progress(self) -> tuple[int, int]: ...

def decode(
    source: str, data: bytes, host_name: str | None = None
) -> tuple[list[tuple[bytes, int, int]], list[tuple[str, str, int, int]]]: ...
def source_names() -> list[str]: ...
def function_names() -> list[str]: ...
