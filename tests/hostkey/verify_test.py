#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Verification of host-key documents offline: each way to fail, with its message.

Usage: verify_test.py VERIFY_TOOL
"""
import sys
import tempfile

import pki
from pki import DAY, IBM, NOW, pem, pem_crl, signing_name
from tap import Tap, run

CHAIN = 'Host-key verification failed: The IBM Z signing key could not be verified. ' \
        'Error occurred at level %d: '
FAILED = 'Host-key verification failed: '
VERIFY, FORMAT, IO, KEY = 6, 2, 3, 5


class Suite:
    def __init__(self, tool, folder):
        self.tool = tool
        self.tap = Tap()
        self.pki = pki.Pki(folder)
        p = self.pki
        self.healthy = {
            'root': pem(p.root()),
            'certs': [pem(p.signing()), pem(p.inter())],
            'crls': [pem_crl(p.root_crl()), pem_crl(p.inter_crl()), pem_crl(p.signing_crl())],
            'hkds': [pem(p.hkd())],
            'at': None,
        }

    def files(self, kind, contents):
        return [self.pki.write('%s%d' % (kind, i), c) for i, c in enumerate(contents)]

    def run(self, **change):
        """Runs the tool on the healthy chain with some parts replaced."""
        parts = dict(self.healthy, **change)
        args = ['--offline']
        if parts['root'] is not None:
            args += ['--root', self.pki.write('root', parts['root'])]
        for path in self.files('cert', parts['certs']):
            args += ['--cert', path]
        for path in self.files('crl', parts['crls']):
            args += ['--crl', path]
        if parts['at']:
            args += ['--at', parts['at']]
        return run(self.tool, *args, *self.files('hkd', parts['hkds']))

    def good(self, what, stderr='', **change):
        r = self.run(**change)
        self.tap.row(r.stdout == 'OK\n' and stderr in r.stderr, what, r.stdout + r.stderr)

    def bad(self, what, code, start, *parts, **change):
        """The message begins with start and holds all parts."""
        r = self.run(**change)
        text = r.stdout[len('ERR %d ' % code):]
        ok = r.returncode == 1 and r.stdout.startswith('ERR %d ' % code) and \
            text.startswith(start) and all(p in text for p in parts)
        self.tap.row(ok, what, '%s%sexpected: %d %s %s' % (r.stdout, r.stderr, code, start, parts))

    def crls(self, root=None, inter=None, signing=None):
        p = self.pki
        return [pem_crl(root or p.root_crl()), pem_crl(inter or p.inter_crl()),
                pem_crl(signing or p.signing_crl())]


def iso(t):
    import time
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))


def test_accepted(s):
    p = s.pki
    s.good('a healthy chain')
    s.good('everything in DER', root=p.root(), certs=[p.signing(), p.inter()],
           crls=[p.root_crl(), p.inter_crl(), p.signing_crl()], hkds=[p.hkd()])
    s.good('all certificates in one file', certs=[''.join(s.healthy['certs'])])
    s.good('signing key last', certs=s.healthy['certs'][::-1])
    s.good('all CRLs in one file', crls=[''.join(s.healthy['crls'])])
    s.good('CRLs inside the certificate files', crls=[],
           certs=[s.healthy['crls'][2] + s.healthy['certs'][0],
                  s.healthy['certs'][1] + s.healthy['crls'][0] + s.healthy['crls'][1]])
    s.good('a certificate file that holds CRLs only', crls=[],
           certs=s.healthy['certs'] + [''.join(s.healthy['crls'])])
    s.good('root CA file with CRLs', crls=[], root=s.healthy['root'] + ''.join(s.healthy['crls']))
    s.good('root CA file with several roots',
           root=pem(p.root(key=p.other_key, subject=[('CN', 'Another')])) + s.healthy['root'])
    s.good('text around PEM blocks', certs=['Subject: x\n\n' + c + 'bye\n'
                                           for c in s.healthy['certs']])
    s.good('a key in the PEM file is passed over',
           certs=[pem(b'\x30\x03\x02\x01\x00', 'PRIVATE KEY') + c for c in s.healthy['certs']])
    s.good('several documents', hkds=[pem(p.hkd()), pem(p.hkd()), p.hkd()])
    s.good('document without an authority key id', hkds=[pem(p.hkd(key_id=False))])
    s.good('several certificates in a document: warning, the first counts',
           'contains 2 certificates', hkds=[pem(p.hkd()) + pem(p.hkd(issuer_key=p.other_key))])
    s.good('bytes behind a DER document: warning', '3 bytes behind', hkds=[p.hkd() + b'abc'])
    s.good('CRL without an authority key id', crls=s.crls(signing=p.signing_crl(key_id=False)))
    s.good('a bad CRL beside a good one',
           crls=s.healthy['crls'] + [pem_crl(p.signing_crl(end=NOW - DAY))])
    s.good('document signed with SHA-256', hkds=[pem(p.hkd(digest='sha256'))])
    s.good('at a time in the past', at=NOW - 2 * DAY)
    s.good('four certificates in the chain, the most that is allowed', **deep_chain(s, 2))


def deep_chain(s, intermediates):
    """signing <- I1 <- I2 ... <- root, all with the keys that are there."""
    p = s.pki
    labels = [[('CN', 'Level %d' % i)] for i in range(intermediates)] + [pki.ROOT]
    keys = [p.inter_key, p.other_key, p.key('deep', 'rsa2048')][:intermediates] + [p.root_key]
    certs = [pem(p.signing(issuer=labels[0], issuer_key=keys[0]))]
    crls = [pem_crl(p.signing_crl()), pem_crl(p.root_crl())]
    for i in range(intermediates):
        certs.append(pem(p.inter(subject=labels[i], key=keys[i], issuer=labels[i + 1],
                                 issuer_key=keys[i + 1])))
        crls.append(pem_crl(p.inter_crl(issuer=labels[i], key=keys[i])))
    return {'certs': certs, 'crls': crls}


def test_chain(s):
    p = s.pki
    h = s.healthy
    s.bad('wrong root', VERIFY, CHAIN % 1, "no trusted certificate of its issuer", 'Test root',
          root=pem(p.root(key=p.other_key, subject=[('CN', 'Another')])))
    s.bad('a root of the same name with another key', VERIFY, CHAIN % 1,
          root=pem(p.root(key=p.other_key)))
    s.bad('the system does not trust this root', VERIFY, CHAIN % 1, 'no trusted certificate',
          root=None)
    s.bad('intermediate missing', VERIFY, CHAIN % 0, 'no trusted certificate of its issuer',
          'Test intermediate', certs=h['certs'][:1])
    s.bad('root CRL missing', VERIFY, CHAIN % 1, "no usable CRL of its issuer", 'CN=Test root',
          'cert1', crls=h['crls'][1:])
    s.bad('intermediate CRL missing', VERIFY, CHAIN % 0, 'no usable CRL of its issuer',
          'CN=Test intermediate', 'cert0', crls=[h['crls'][0], h['crls'][2]])
    s.bad('no CRL at all', VERIFY, CHAIN % 0, 'no usable CRL', crls=[])
    s.bad('intermediate CRL expired', VERIFY, CHAIN % 0,
          'is valid until ' + iso(NOW - DAY), 'crl1',
          crls=s.crls(inter=p.inter_crl(end=NOW - DAY)))
    s.bad('intermediate CRL not valid yet', VERIFY, CHAIN % 0,
          'is valid from ' + iso(NOW + DAY), crls=s.crls(inter=p.inter_crl(start=NOW + DAY)))
    s.bad('root CRL expired', VERIFY, CHAIN % 1, 'is valid until ' + iso(NOW - DAY),
          crls=s.crls(root=p.root_crl(end=NOW - DAY)))
    s.bad('intermediate CRL with a wrong signature', VERIFY, CHAIN % 0, 'signature failure',
          'crl1', crls=s.crls(inter=p.inter_crl(damage=True)))
    s.bad('intermediate CRL signed by another key', VERIFY, CHAIN % 0, 'signature failure',
          crls=s.crls(inter=p.inter_crl(key=p.other_key, key_id=p.inter_key.id)))
    s.bad('intermediate CRL with a wrong authority key id', VERIFY, CHAIN % 0,
          crls=s.crls(inter=p.inter_crl(key_id=b'x' * 20)))
    s.bad('intermediate CRL of another issuer', VERIFY, CHAIN % 0, 'no usable CRL',
          crls=s.crls(inter=p.inter_crl(issuer=[('CN', 'Another')])))
    s.bad('signing key revoked', VERIFY, CHAIN % 0, "revoked by the CRL in", 'crl1',
          certs=[pem(p.signing(serial=77)), h['certs'][1]],
          crls=s.crls(inter=p.inter_crl(revoked=[1, 77])))
    s.bad('intermediate revoked', VERIFY, CHAIN % 1, 'revoked by the CRL in', 'crl0',
          certs=[h['certs'][0], pem(p.inter(serial=78))],
          crls=s.crls(root=p.root_crl(revoked=[78])))
    s.bad('signing key expired', VERIFY, CHAIN % 0, 'expired on ' + iso(NOW - DAY), 'cert0',
          certs=[pem(p.signing(end=NOW - DAY)), h['certs'][1]])
    s.bad('signing key not valid yet', VERIFY, CHAIN % 0, 'not valid before ' + iso(NOW + DAY),
          certs=[pem(p.signing(start=NOW + DAY)), h['certs'][1]])
    s.bad('intermediate expired', VERIFY, CHAIN % 1, 'expired on', 'cert1',
          certs=[h['certs'][0], pem(p.inter(end=NOW - DAY))])
    s.bad('root expired', VERIFY, CHAIN % 2, 'expired on', 'root', root=pem(p.root(end=NOW - DAY)))
    s.bad('all expired at a later time', VERIFY, CHAIN % 0, 'now: ' + iso(NOW + 200 * DAY),
          at=NOW + 200 * DAY)
    s.bad('root with a wrong self-signature', VERIFY, CHAIN % 2, root=pem(p.root(damage=True)))
    s.bad('signing key with a wrong signature', VERIFY, CHAIN % 0,
          certs=[pem(p.signing(damage=True)), h['certs'][1]])
    s.bad('intermediate that is no CA', VERIFY, CHAIN % 1,
          certs=[h['certs'][0], pem(p.inter(ca=False))])
    s.bad('signing key trusted by itself', VERIFY, CHAIN % 0, 'without a root CA',
          **self_signed(s))
    s.bad('five certificates in the chain', VERIFY, CHAIN % 3, **deep_chain(s, 3))
    s.bad('RSA-1024 signing key', VERIFY, CHAIN % 0, 'too weak',
          certs=[pem(p.signing(key=p.key('weak', 'rsa1024'))), h['certs'][1]])
    s.bad('RSA-1024 intermediate', VERIFY, CHAIN % 1, 'too weak',
          certs=[pem(p.signing(issuer_key=p.key('weak', 'rsa1024'))),
                 pem(p.inter(key=p.key('weak', 'rsa1024')))],
          crls=s.crls(inter=p.inter_crl(key=p.key('weak', 'rsa1024'))))
    s.bad('intermediate signed with SHA-1', VERIFY, CHAIN % 1, 'too weak',
          certs=[h['certs'][0], pem(p.inter(digest='sha1'))])


def self_signed(s):
    """A root that has the subject of a signing key."""
    p = s.pki
    both = pem(p.root(subject=pki.SIGNING))
    return {'root': both, 'certs': [both],
            'crls': [pem_crl(p.root_crl(issuer=pki.SIGNING))]}


def test_signing_key(s):
    p = s.pki
    none = FAILED + 'Specify one IBM Z signing key: '
    inter = s.healthy['certs'][1]
    s.bad('no certificates', VERIFY, none, 'no certificate was given', certs=[])
    s.bad('signing key missing', VERIFY, none, 'none of the certificates', certs=[inter])
    s.bad('signing key twice', VERIFY, FAILED + 'Specify only one IBM Z signing key: ',
          "cert0' and '", certs=[s.healthy['certs'][0]] * 2 + [inter])
    s.bad('two signing keys in one file', VERIFY, FAILED + 'Specify only one IBM Z signing key',
          certs=[pem(p.signing()) + pem(p.signing(subject=signing_name('Armonk'))), inter])
    for attribute, value in (('C', 'DE'), ('O', 'IBM'), ('OU', 'Key Signing Service 2'),
                             ('L', 'Somers'), ('ST', 'NY'), ('CN', IBM + '!')):
        subject = signing_name(**({'locality': value} if attribute == 'L' else {attribute: value}))
        s.bad('signing key with a wrong ' + attribute, VERIFY, none, "its %s " % attribute,
              certs=[pem(p.signing(subject=subject)), inter])
    s.bad('signing key without a locality', VERIFY, none, 'its L is not',
          certs=[pem(p.signing(subject=signing_name(order=('C', 'O', 'OU', 'ST', 'CN')))), inter])
    s.bad('signing key with a seventh entry', VERIFY, none, 'has 7 entries, not 6',
          certs=[pem(p.signing(subject=pki.SIGNING + [('OU', 'More')])), inter])
    s.bad('the case of letters counts', VERIFY, none, 'its ST is not',
          certs=[pem(p.signing(subject=signing_name(ST='new york'))), inter])
    s.good('OU that is the suffix alone', **locality_case(s, signing_name(
        OU='Key Signing Service')))


def locality_case(s, subject, crl_issuer=None, issuer=None):
    p = s.pki
    return {'certs': [pem(p.signing(subject=subject)), s.healthy['certs'][1]],
            'crls': s.crls(signing=p.signing_crl(issuer=crl_issuer or subject)),
            'hkds': [pem(p.hkd(issuer=issuer or subject))]}


def test_names_of_crls(s):
    """The signing key's CRL under the names that the real ones have had."""
    ordered = ('C', 'O', 'OU', 'L', 'ST', 'CN')
    other = ('C', 'O', 'CN', 'ST', 'L', 'OU')
    armonk, armonk_other = signing_name('Armonk'), signing_name('Armonk', other)
    none = FAILED + 'No valid CRL found: there is none of the issuer '
    for what, subject, issuer in (
            ('Armonk, CRL of Armonk', armonk, armonk),
            ('Armonk, CRL of Poughkeepsie', armonk, signing_name()),
            ('Armonk in another order, CRL of Poughkeepsie in that order', armonk_other,
             signing_name(order=other)),
            ('Armonk in another order, CRL of Poughkeepsie in the usual order', armonk_other,
             signing_name(order=ordered)),
            ('Armonk in another order, CRL of Armonk in the usual order', armonk_other, armonk),
            ('Poughkeepsie in another order, CRL in the usual order', signing_name(order=other),
             signing_name(order=ordered))):
        s.good(what, **locality_case(s, subject, issuer))
    for what, subject, issuer in (
            ('Poughkeepsie, CRL of Armonk', signing_name(), armonk),
            ('usual order, CRL in another order', armonk, armonk_other),
            ('CRL of another issuer', signing_name(), pki.INTER)):
        s.bad(what, VERIFY, none, '(offline)', **locality_case(s, subject, issuer))
    s.good('document issued under the other locality',
           **locality_case(s, armonk, armonk, signing_name()))
    s.bad('revoked in a CRL under the other locality', VERIFY,
          FAILED + 'Host-key document is revoked. ',
          **dict(locality_case(s, armonk, signing_name()), hkds=[pem(s.pki.hkd(serial=99))],
                 crls=s.crls(signing=s.pki.signing_crl(revoked=[99]))))


def test_document(s):
    p = s.pki
    s.bad('expired', VERIFY, FAILED + 'After validity period: ', "hkd0' expired on " +
          iso(NOW - DAY), hkds=[pem(p.hkd(end=NOW - DAY))])
    s.bad('not valid yet', VERIFY, FAILED + 'Before validity period: ', 'not valid before ' +
          iso(NOW + DAY), hkds=[pem(p.hkd(start=NOW + DAY))])
    s.bad('valid until this second exclusively', VERIFY, FAILED + 'After validity period: ',
          hkds=[pem(p.hkd(end=NOW - 10))], at=NOW - 10)
    s.good('valid from this second on', hkds=[pem(p.hkd(start=NOW - 10))], at=NOW - 10)
    s.good('the second before the end', hkds=[pem(p.hkd(end=NOW - 10))], at=NOW - 11)
    s.bad('expires by --at', VERIFY, FAILED + 'After validity period: ',
          hkds=[pem(p.hkd(end=NOW + DAY))], at=NOW + 2 * DAY)
    s.bad('signed by another key, whose id it names', VERIFY, FAILED +
          'Authority Key Id mismatch: ', hkds=[pem(p.hkd(issuer_key=p.other_key))])
    s.bad('authority key id of another key', VERIFY, FAILED + 'Authority Key Id mismatch: ',
          'hkd0', hkds=[pem(p.hkd(key_id=b'y' * 20))])
    s.bad('signed by another key, without naming it', VERIFY, FAILED +
          'Signature verification failed: ',
          hkds=[pem(p.hkd(issuer_key=p.other_key, key_id=False))])
    s.bad('signed by another key under the right id', VERIFY, FAILED +
          'Signature verification failed: ',
          hkds=[pem(p.hkd(issuer_key=p.other_key, key_id=p.signing_key.id))])
    s.bad('damaged signature', VERIFY, FAILED + 'Signature verification failed: ',
          hkds=[pem(p.hkd(damage=True))])
    s.bad('the second document is bad', VERIFY, FAILED + 'After validity period: ', 'hkd1',
          hkds=[pem(p.hkd()), pem(p.hkd(end=NOW - DAY))])


def test_revocation(s):
    p = s.pki
    revoked = FAILED + 'Host-key document is revoked. '
    no_crl = FAILED + 'No valid CRL found: '
    hkd = [pem(p.hkd(serial=0x1234567890))]
    s.bad('revoked', VERIFY, revoked, 'crl2', iso(NOW - 2 * DAY), hkds=hkd,
          crls=s.crls(signing=p.signing_crl(revoked=[5, 0x1234567890])))
    s.bad('"remove from CRL" counts as revoked', VERIFY, revoked, hkds=hkd,
          crls=s.crls(signing=p.signing_crl(revoked=[(0x1234567890, pki.REMOVE_FROM_CRL)])))
    s.bad('revoked by one of two lists', VERIFY, revoked, hkds=hkd,
          crls=s.healthy['crls'] + [pem_crl(p.signing_crl(revoked=[0x1234567890]))])
    s.good('others are revoked', hkds=hkd,
           crls=s.crls(signing=p.signing_crl(revoked=[1, 2, 0x12345678])))
    s.good('revoked only in a list of another key', hkds=hkd, crls=s.healthy['crls'] +
           [pem_crl(p.signing_crl(key=p.other_key, revoked=[0x1234567890]))])
    s.bad('signing key CRL missing', VERIFY, no_crl + 'there is none of the issuer',
          'Test Key Signing Service', '(offline)', crls=s.healthy['crls'][:2])
    for what, crl, parts in (
            ('expired', p.signing_crl(end=NOW - DAY), 'was valid until ' + iso(NOW - DAY)),
            ('not valid yet', p.signing_crl(start=NOW + DAY), 'is valid from ' + iso(NOW + DAY)),
            ('without an end', p.signing_crl(end=None), 'has no validity period'),
            ('with a wrong authority key id', p.signing_crl(key_id=b'z' * 20),
             'another Authority Key Id'),
            ('with a wrong signature', p.signing_crl(damage=True), 'is not signed by'),
            ('signed by another key', p.signing_crl(key=p.other_key, key_id=False),
             'is not signed by')):
        s.bad('signing key CRL ' + what, VERIFY, no_crl, 'crl2', parts, crls=s.crls(signing=crl))


def test_files(s):
    p = s.pki
    good = p.hkd()
    garbage = bytes(range(256)) * 40
    pem_half = pem(good)[:600]
    for what, data, code, text in (
            ('empty', b'', FORMAT, 'contains no certificate in PEM or DER form'),
            ('garbage', garbage, FORMAT, 'contains no certificate in PEM or DER form'),
            ('truncated DER', good[:-20], FORMAT, 'contains no certificate in PEM or DER form'),
            ('truncated PEM', pem_half, FORMAT, 'damaged PEM block'),
            ('PEM without a certificate', pem(b'\x30\x00', 'PRIVATE KEY'), FORMAT,
             'contains no certificate'),
            ('PEM with a broken certificate', pem(good[:-20]), FORMAT, 'damaged PEM block'),
            ('a CRL', pem_crl(p.signing_crl()), FORMAT, 'but a revocation list'),
            ('huge', b'\x30' + b'0' * (1 << 20), FORMAT, 'larger than the 1048576 bytes'),
            ('P-256', pem(p.hkd(key=p.key('p256', 'P-256'))), KEY,
             "Host-key document doesn't use correct EC curve: "),
            ('P-384', pem(p.hkd(key=p.key('p384', 'P-384'))), KEY,
             "Host-key document doesn't use correct EC curve: "),
            ('RSA', pem(p.hkd(key=p.other_key)), KEY,
             "Host-key document doesn't use correct EC curve: ")):
        s.bad('document: ' + what, code, '', text, 'hkd0', hkds=[data])
    for what, data, text in (('garbage', garbage, 'there is no certificate'), ('empty', b'',
                             'there is no certificate'),
                             ('broken PEM', pem_half, 'damaged PEM block')):
        s.bad('certificate: ' + what, FORMAT, '', text, 'cert2',
              certs=s.healthy['certs'] + [data])
    for what, data, text in (('garbage', garbage, 'there is no CRL'), ('empty', b'',
                             'there is no CRL'),
                             ('a certificate', pem(p.signing()), 'there is no CRL'),
                             ('broken PEM', pem_crl(p.signing_crl()[:-9]), 'damaged PEM')):
        s.bad('CRL: ' + what, FORMAT, '', text, 'crl3', crls=s.healthy['crls'] + [data])
    s.bad('root CA: garbage', FORMAT, 'root CA: ', 'there is no certificate', root=garbage)
    s.bad('root CA: only a CRL', FORMAT, 'root CA: ', 'there is no certificate',
          root=pem_crl(p.root_crl()))
    r = run(s.tool, '--offline', '--root', '/nonexistent/root.crt')
    s.tap.row(r.stdout.startswith('ERR %d root CA: ' % IO) and '/nonexistent/root.crt' in r.stdout,
              'root CA: no such file', r.stdout)


def main():
    with tempfile.TemporaryDirectory() as folder:
        s = Suite(sys.argv[1], folder)
        for test in (test_accepted, test_chain, test_signing_key, test_names_of_crls,
                     test_document, test_revocation, test_files):
            test(s)
        s.tap.end()


main()
