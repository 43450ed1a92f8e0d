"""Runs a program on a pseudo-terminal and types for it.

stdin:  {"argv": [...], "env": {...}, "columns": 80 if not there, "steps": [[wait for this text, type that, or null: hang up], ...],
         "limit": seconds, 30 if not there}
stdout: {"output": all that the terminal showed, "code": n or null, "signal": n or null}
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

task = json.load(sys.stdin)
deadline = time.time() + task.get("limit", 30)
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, task.get("columns", 80), 0, 0))
    os.execve(task["argv"][0], task["argv"], task["env"])

shown = b""
seen = 0
steps = task["steps"]
there = True
while there and time.time() < deadline:
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if ready:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux: the other side has closed
            break
        if not chunk:
            break
        shown += chunk
    while steps and (at := shown.find(steps[0][0].encode(), seen)) >= 0:
        seen = at + len(steps[0][0].encode())
        typed = steps.pop(0)[1]
        if typed is None:
            os.close(terminal)
            there = False
            break
        os.write(terminal, typed.encode())
else:
    if there:
        os.kill(pid, 9)

_, status = os.waitpid(pid, 0)
json.dump(
    {
        "output": shown.decode(errors="replace").replace("\r\n", "\n"),
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
    },
    sys.stdout,
)
