"""Alerts as lines of JSON in a file, for whatever reads files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts.message import AlertMessage


class FileChannel(Channel):
    """Appends one line of JSON a message, in ASCII: every reader splits it in the same lines."""

    type: Literal["file"] = "file"
    path: str = Field(min_length=1, description="File on this machine; folders are made.")
    updates_quietly: ClassVar[bool] = True

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - it knows no threads
        """Append the message and wait until it is on disk.

        Raises:
            DeliveryError: the file can't be written.
        """
        path = Path(self.path).expanduser()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append_line(path, message.to_json())
        except OSError as error:
            raise ChannelError(
                self.name,
                f"can't append to {path} ({error.strerror or type(error).__name__})",
                next_step="Check that the folder can be written and the disk is not full.",
            ) from None


def _append_line(path: Path, line: str) -> None:
    """One write in append mode, one writer at a time; a torn last line is ended first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        if sys.platform != "win32":
            import fcntl

            # Closing gives the lock back, a crash too.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.lseek(descriptor, 0, os.SEEK_END)
        torn = size > 0 and not _ends_in_newline(descriptor, size)
        data = ("\n" if torn else "").encode() + line.encode() + b"\n"
        written = os.write(descriptor, data)
        if written != len(data):
            raise OSError(0, f"only {written} of {len(data)} bytes could be written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ends_in_newline(descriptor: int, size: int) -> bool:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
