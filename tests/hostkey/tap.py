# SPDX-License-Identifier: MIT
"""Rows of tests, printed as TAP while they run."""
import os
import subprocess
import sys

UNREACHABLE_PROXIES = ('http_proxy', 'https_proxy', 'all_proxy', 'HTTPS_PROXY', 'ALL_PROXY')


class Tap:
    def __init__(self):
        self.count = self.failed = 0
        print('TAP version 13', flush=True)

    def row(self, ok, what, detail=''):
        self.count += 1
        self.failed += not ok
        print('%s %d - %s' % ('ok' if ok else 'not ok', self.count, what))
        if not ok:
            for line in str(detail).splitlines():
                print('# ' + line)
        sys.stdout.flush()

    def skip(self, what, reason):
        self.count += 1
        print('ok %d - %s # SKIP %s' % (self.count, what, reason), flush=True)

    def end(self):
        print('1..%d' % self.count, flush=True)
        sys.exit(1 if self.failed else 0)


def run(*args, **kw):
    """Runs a tool without any proxy; returns the completed process with text output."""
    env = {k: v for k, v in os.environ.items() if k not in UNREACHABLE_PROXIES}
    env['no_proxy'] = '*'
    env.update(kw.pop('env', {}))
    return subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors='replace', env=env, timeout=60, **kw)
