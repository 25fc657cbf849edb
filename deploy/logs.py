"""Logs: one line an event with a fixed `action`, JSON unless stderr is a terminal. Ids only, never bodies or tokens."""

import logging
import sys

import structlog


def configure_logs(*, quiet: bool = False) -> None:
    """Send this process's logs to stderr, the drivers' from WARNING on; all of them from there where `quiet`."""
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    # aiokafka reports each retry of its own; what the lanes make of it is logged by them.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
