"""Where the log of this module goes."""

from __future__ import annotations

import logging


class LoggerOptions:
    """A level, a handler and a format. What is left out is INFO, the standard error, and a line with the time."""

    def __init__(
        self,
        log_level: int | str | None = None,
        log_handler: logging.Handler | None = None,
        log_formatter: logging.Formatter | None = None,
    ) -> None:
        self.log_level: int | str = logging.INFO if log_level is None else log_level
        self.log_handler = logging.StreamHandler() if log_handler is None else log_handler
        self.log_formatter = log_formatter or logging.Formatter(
            fmt="%(asctime)s.%(msecs)03d %(name)s %(levelname)s: %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
        )


class Logger:
    """A standard logger of this name. With options their handler is added to it, once."""

    def __init__(self, name: str, options: LoggerOptions | None = None) -> None:
        self._options = options
        self._logger = logging.getLogger(name)
        if options is not None:
            options.log_handler.setLevel(options.log_level)
            options.log_handler.setFormatter(options.log_formatter)
            if options.log_handler not in self._logger.handlers:
                self._logger.addHandler(options.log_handler)

    def get_options(self) -> LoggerOptions | None:
        """The options that it was made with."""
        return self._options

    def debug(self, msg: object, *args: object) -> None:
        """Logs a message for whoever looks for a fault."""
        self._logger.debug(msg, *args)

    def info(self, msg: object, *args: object) -> None:
        """Logs what happens."""
        self._logger.info(msg, *args)

    def warning(self, msg: object, *args: object) -> None:
        """Logs what should be looked at."""
        self._logger.warning(msg, *args)

    def error(self, msg: object, *args: object) -> None:
        """Logs what went wrong."""
        self._logger.error(msg, *args)

    def exception(self, msg: object, *args: object) -> None:
        """Logs what went wrong, with the exception at hand."""
        self._logger.exception(msg, *args)

    def critical(self, msg: object, *args: object) -> None:
        """Logs what nothing can go on after."""
        self._logger.critical(msg, *args)
