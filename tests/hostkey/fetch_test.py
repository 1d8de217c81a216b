#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Downloading CRLs: all against servers on the loopback address.

Usage: fetch_test.py VERIFY_TOOL
"""
import http.server
import socket
import sys
import tempfile
import threading
import time

import pki
from pki import DAY, NOW, pem, pem_crl
from tap import Tap, run

FAILED = 'ERR 6 Host-key verification failed: '
LIMIT = 16 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the server's table: bytes, or a function of the handler."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get('User-Agent')))
        answer = self.server.routes.get(self.path)
        try:
            if answer is None:
                self.send_error(404)
            elif callable(answer):
                answer(self)
            else:
                self.body(answer)
        except OSError:
            pass  # the client has gone

    def body(self, data, length=None):
        self.send_response(200)
        self.send_header('Content-Length', str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def redirect(self, where):
        self.send_response(302)
        self.send_header('Location', where)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def endless(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(LIMIT // 65536 + 2):
            self.wfile.write(b'x' * 65536)

    def hang(self):
        time.sleep(20)

    def log_message(self, *args):
        pass


def closed_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Suite:
    def __init__(self, tool, folder):
        self.tool = tool
        self.tap = Tap()
        self.pki = p = pki.Pki(folder)
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.seen = []
        self.server.routes = {}
        self.base = 'http://127.0.0.1:%d' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.root = p.write('root', pem(p.root()))
        self.chain_crls = [p.write('crl0', pem_crl(p.root_crl())),
                           p.write('crl1', pem_crl(p.inter_crl()))]
        self.signing_crl = pem_crl(p.signing_crl()).encode()
        self.certs = [p.write('cert0', pem(p.signing())), p.write('cert1', pem(p.inter()))]

    def run(self, hkds, certs=None, crls=None, more=()):
        self.server.seen.clear()
        args = ['--root', self.root, *more]
        for c in self.certs if certs is None else certs:
            args += ['--cert', c]
        for c in self.chain_crls if crls is None else crls:
            args += ['--crl', c]
        paths = [self.pki.write('hkd%d' % i, h) for i, h in enumerate(hkds)]
        return run(self.tool, *args, *paths)

    def paths(self):
        return [path for path, _ in self.server.seen]

    def hkd_row(self, what, points, want, stderr='', seen=None, routes=None, **kw):
        """One document whose CRL comes from the points; relative ones are on the server."""
        self.server.routes = {'/good.crl': self.signing_crl}
        self.server.routes.update(routes or {})
        full = [[self.base + u if u.startswith('/') else u for u in urls] for urls in points]
        r = self.run([pem(self.pki.hkd(points=full))], **kw)
        ok = r.stdout.startswith(want) and stderr in r.stderr and \
            (seen is None or self.paths() == seen)
        self.tap.row(ok, what, '%s%s%s' % (r.stdout, r.stderr, self.paths()))


def test_chain(s):
    p = s.pki
    s.server.routes = {'/root.crl': pem_crl(p.root_crl()).encode(), '/inter.crl': p.inter_crl(),
                       '/signing.crl': s.signing_crl}
    certs = [p.write('c0', pem(p.signing(points=[[s.base + '/inter.crl']]))),
             p.write('c1', pem(p.inter(points=[[s.base + '/root.crl']])))]
    hkd = pem(p.hkd(points=[[s.base + '/signing.crl']]))
    r = s.run([hkd, hkd], certs, [])
    s.tap.row(r.stdout == 'OK\n', 'all CRLs are downloaded, PEM and DER', r.stdout + r.stderr)
    s.tap.row(sorted(s.paths()) == ['/inter.crl', '/root.crl', '/signing.crl'],
              'each of them once', s.paths())
    s.tap.row(all(agent == 'zpv' for _, agent in s.server.seen), 'under our name', s.server.seen)
    s.tap.row('info: downloaded the CRL' in r.stderr, 'and told', r.stderr)
    r = s.run([hkd], certs, [], ['--offline'])
    s.tap.row(r.stdout.startswith(FAILED) and not s.paths(), 'offline: nothing is requested',
              r.stdout + str(s.paths()))
    local = s.chain_crls + [p.write('crl2', s.signing_crl)]
    r = s.run([hkd], certs, local, ['--offline'])
    s.tap.row(r.stdout == 'OK\n' and not s.paths(), 'offline with CRLs in files', r.stdout)
    s.server.routes = {}
    r = s.run([hkd], certs, local)
    s.tap.row(r.stdout == 'OK\n', 'failed downloads do not matter when there are files', r.stdout)
    r = s.run([hkd], certs, [])
    s.tap.row(r.stdout.startswith(FAILED + 'The IBM Z signing key could not be verified. ') and
              'no usable CRL' in r.stdout, 'failed downloads without files', r.stdout)


def test_next_point(s):
    good = '/good.crl'
    refused = 'http://127.0.0.1:%d/x.crl' % closed_port()
    local = 'file://' + s.pki.write('local.crl', s.signing_crl)
    bad = 'info: cannot download the CRL'
    s.hkd_row('one point', [[good]], 'OK', seen=[good])
    s.hkd_row('only the first that works is used', [[good, '/b.crl'], ['/c.crl']], 'OK',
              seen=[good])
    s.hkd_row('404, then the next name', [['/404', good]], 'OK', bad, ['/404', good])
    s.hkd_row('404, then the next point', [['/404'], [good]], 'OK', bad, ['/404', good])
    s.hkd_row('connection refused', [[refused], [good]], 'OK', bad)
    s.hkd_row('no host of this name', [['http://nonexistent.invalid/'], [good]], 'OK', bad)
    start = time.monotonic()
    s.hkd_row('timeout', [['/hang'], [good]], 'OK', bad, routes={'/hang': Handler.hang})
    spent = time.monotonic() - start
    s.tap.row(2.5 < spent < 10, 'the timeout is 3 seconds', spent)
    for what, body in (('garbage', b'\x00garbage' * 100), ('empty', b''),
                       ('a web page', b'<html>please log in</html>'),
                       ('a certificate', pem(s.pki.signing()).encode()),
                       ('truncated', s.signing_crl[:300])):
        s.hkd_row('body: ' + what, [['/bad'], [good]], 'OK', bad, ['/bad', good],
                  routes={'/bad': body})
    s.hkd_row('body shorter than announced', [['/bad'], [good]], 'OK', bad,
              routes={'/bad': lambda h: h.body(b'x' * 10, 20)})
    s.hkd_row('body announced too large', [['/bad'], [good]], 'OK', 'more than the 16777216 bytes',
              routes={'/bad': lambda h: h.body(b'x', LIMIT + 1)})
    s.hkd_row('body too large, not announced', [['/bad'], [good]], 'OK',
              'more than the 16777216 bytes', routes={'/bad': Handler.endless})
    s.hkd_row('a file is not read', [[local]], FAILED + 'No valid CRL found')
    s.hkd_row('an address with control characters is passed over',
              [['http://127.0.0.1/\n\x1b[31m']], FAILED + 'No valid CRL found', seen=[])
    s.hkd_row('ldap is passed over', [['ldap://127.0.0.1/x'], [good]], 'OK', seen=[good])
    s.hkd_row('nothing works', [['/404'], [refused]], FAILED + 'No valid CRL found', bad)
    s.hkd_row('document without points', [], FAILED + 'No valid CRL found', seen=[])


def test_redirects(s):
    good = '/good.crl'
    local = 'file://' + s.pki.write('local.crl', s.signing_crl)
    s.hkd_row('redirect', [['/moved']], 'OK', seen=['/moved', good],
              routes={'/moved': lambda h: h.redirect(good)})
    s.hkd_row('redirect in a circle', [['/circle'], [good]], 'OK', 'cannot download',
              routes={'/circle': lambda h: h.redirect('/circle')})
    s.tap.row(s.paths().count('/circle') == 11, 'at most 10 redirects', s.paths())
    s.hkd_row('redirect to a file', [['/moved']], FAILED + 'No valid CRL found',
              routes={'/moved': lambda h: h.redirect(local)})


def test_content(s):
    p = s.pki
    one = ['/one.crl']
    local = s.chain_crls + [p.write('crl2', s.signing_crl)]
    s.server.routes = {'/one.crl': p.signing_crl(revoked=[4711])}
    r = s.run([pem(p.hkd(serial=4711, points=[[s.base + '/one.crl']]))], crls=local)
    s.tap.row(r.stdout.startswith(FAILED + 'Host-key document is revoked. ') and
              '/one.crl' in r.stdout, 'revoked in the downloaded CRL only', r.stdout)
    s.hkd_row('an expired CRL downloaded, a good one in a file', [one], 'OK', crls=local,
              routes={'/one.crl': p.signing_crl(end=NOW - DAY)})
    s.hkd_row('an expired CRL downloaded', [one], FAILED + 'No valid CRL found: ',
              routes={'/one.crl': p.signing_crl(end=NOW - DAY)})
    s.hkd_row('a CRL of another key downloaded', [one], FAILED + 'No valid CRL found: ',
              routes={'/one.crl': p.signing_crl(key=p.other_key)})
    s.hkd_row('a CRL under another name of the signing key', [one], 'OK',
              routes={'/one.crl': p.signing_crl(issuer=[('CN', 'Any')])})
    s.server.routes = {}
    hkds = [pem(p.hkd(points=[[s.base + '/404']])) for _ in range(3)]
    s.run(hkds, crls=local)
    s.tap.row(s.paths() == ['/404'], 'a failed download is not repeated', s.paths())


def main():
    with tempfile.TemporaryDirectory() as folder:
        s = Suite(sys.argv[1], folder)
        for test in (test_chain, test_next_point, test_redirects, test_content):
            test(s)
        s.server.shutdown()
        s.tap.end()


main()
