"""Threads that run calls in the context of the thread that submits them: the same request, the same trace."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A pool of threads to which context variables are handed on."""

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Run a call in a copy of this context."""
        context = copy_context()
        return super().submit(lambda: context.run(fn, *args, **kwargs))
