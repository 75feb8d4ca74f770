"""``python -m tests.cli.confined --system-calls FILE --address-families "AF_INET …" -- run``: behind walls.

With ``-- python …`` another Python program. The walls are those of the unit's SystemCallFilter,
RestrictAddressFamilies, RestrictNamespaces (for unshare), MemoryDenyWriteExecute and NoNewPrivileges; children
inherit them.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import socket
import sys
from pathlib import Path

_PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE, _REFUSE_EXEC_GAIN = 38, 65, 1
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EQUAL_TO, _MASKED_EQUAL_TO = 4, 7
_NAMESPACES = {
    "mnt": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}


class _Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp`` of seccomp.h."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def main() -> None:
    """Raise the walls, then become the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--system-calls", type=Path, required=True)
    parser.add_argument("--address-families", required=True)
    parser.add_argument("--namespaces", required=True)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    _deny_writable_code()
    _filter(
        set(arguments.system_calls.read_text("ascii").split()),
        arguments.address_families.split(),
        arguments.namespaces.split(),
    )
    command = arguments.command
    words = command[1:] if command[0] == "python" else ["-m", "mailbot", *command]
    os.execv(sys.executable, [sys.executable, *words])


def _deny_writable_code() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if (
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        or libc.prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0) != 0
    ):
        raise OSError(ctypes.get_errno(), "this kernel knows no PR_SET_MDWE")


def _filter(allowed: set[str], families: list[str], namespaces: list[str]) -> None:
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_ERRNO | errno.EPERM))
    for name in sorted(allowed - {"socket", "unshare"}):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        # Names of other machines have no number here.
        if number >= 0:
            _check(seccomp.seccomp_rule_add_array(context, _ALLOW, number, 0, None))
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in families:
        is_it = _Comparison(0, _EQUAL_TO, getattr(socket, family), 0)
        _check(seccomp.seccomp_rule_add_array(context, _ALLOW, number, 1, ctypes.byref(is_it)))
    forbidden = sum(flag for name, flag in _NAMESPACES.items() if name not in namespaces)
    number = seccomp.seccomp_syscall_resolve_name(b"unshare")
    others = _Comparison(0, _MASKED_EQUAL_TO, forbidden, 0)
    _check(seccomp.seccomp_rule_add_array(context, _ALLOW, number, 1, ctypes.byref(others)))
    _check(seccomp.seccomp_load(context))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(-result, os.strerror(-result))


if __name__ == "__main__":
    main()
