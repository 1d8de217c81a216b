#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Identities of software machines: what is made, and that the real openssl accepts it.

Usage: identity_test.py IDENTITY_TOOL VERIFY_TOOL
"""
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

from tap import Tap, run

PROFILES = {'z15': '8561', 'z16': '3931', 'z17': '9175'}
USAGE, FORMAT, IO, VERIFY, EXISTS = 1, 2, 3, 6, 7
DAY = 86400

tap = Tap()
tool, verify_tool = map(os.path.abspath, sys.argv[1:3])


def openssl(*args):
    return run('openssl', *args)


def phkh_of(pem_key_text):
    """Hash of the padded coordinates, from the text form of a public key."""
    text = re.search(r'pub:\s*([0-9a-f:\s]+)', pem_key_text).group(1)
    point = bytes.fromhex(re.sub(r'[^0-9a-f]', '', text))
    assert len(point) == 133 and point[0] == 4
    return hashlib.sha256(b'\0' * 14 + point[1:67] + b'\0' * 14 + point[67:]).hexdigest()


class Identity:
    def __init__(self, folder):
        self.dir = folder
        with open(os.path.join(folder, 'identity.json')) as f:
            self.json = json.load(f)

    def path(self, label):
        return os.path.join(self.dir, self.json['files'][label])

    def verify_args(self, *more):
        return [verify_tool, '--cert', self.path('signing_key_certificate'),
                '--cert', self.path('intermediate_ca_certificate'),
                '--root', self.path('root_ca_certificate'),
                '--crl', self.path('root_ca_crl'), '--crl', self.path('intermediate_ca_crl'),
                '--crl', self.path('host_key_crl'), *more,
                self.path('host_key_document'), self.path('backup_host_key_document')]


def check_names(i, profile, serial):
    machine = '%s-%s' % (PROFILES[profile], serial)
    want = {'HKD-%s.crt' % machine, 'backup-HKD-%s.crt' % machine, 'DigiCertCA.crl',
            'DigiCertCA.crt', 'ibm-z-host-key-gen2.crl', 'ibm-z-host-key-signing-gen2.crt',
            'identity.json', 'private', 'rootCA.crl', 'rootCA.crt', 'uv-keys-all'}
    tap.row(set(os.listdir(i.dir)) == want, profile + ': the files', os.listdir(i.dir))
    keys = {'host.key', 'backup-host.key', 'rootCA.key', 'DigiCertCA.key',
            'ibm-z-host-key-signing-gen2.key'}
    private = os.path.join(i.dir, 'private')
    tap.row(set(os.listdir(private)) == keys, profile + ': the private keys', os.listdir(private))
    modes = [stat.S_IMODE(os.stat(os.path.join(private, k)).st_mode) for k in keys]
    tap.row(modes == [0o600] * 5 and stat.S_IMODE(os.stat(private).st_mode) == 0o700,
            profile + ': nobody else reads them', modes)
    tap.row(i.json['version'] == 1 and i.json['profile'] == profile and
            i.json['simulated'] is True and i.json['type'] == PROFILES[profile] and
            i.json['serial'] == serial, profile + ': identity.json', i.json)


def check_hashes(i, profile):
    with open(os.path.join(i.dir, 'uv-keys-all')) as f:
        lines = f.read().split('\n')
    want = []
    for label in ('host_key', 'backup_host_key'):
        text = openssl('pkey', '-in', i.path(label), '-noout', '-text').stdout
        tap.row('secp521r1' in text, '%s: %s is on P-521' % (profile, label), text)
        want.append(phkh_of(text))
    tap.row(lines == want + ['0' * 64] * 13 + [''], profile + ': uv-keys-all', lines)
    tap.row([i.json['host_key_hash'], i.json['backup_host_key_hash']] == want,
            profile + ': hashes in identity.json')
    text = openssl('x509', '-in', i.path('host_key_document'), '-noout', '-text').stdout
    tap.row(phkh_of(text) == want[0], profile + ': the document holds the host key')


def check_openssl(i, profile):
    """What the openssl program, which knows nothing of this project, says of the chain."""
    r = openssl('verify', '-x509_strict', '-crl_check', '-crl_check_all', '-trusted_first',
                '-check_ss_sig', '-policy_check', '-purpose', 'any', '-verify_depth', '2',
                '-auth_level', '2', '-CAfile', i.path('root_ca_certificate'),
                '-untrusted', i.path('intermediate_ca_certificate'),
                '-CRLfile', i.path('root_ca_crl'), '-CRLfile', i.path('intermediate_ca_crl'),
                i.path('signing_key_certificate'))
    tap.row(r.returncode == 0 and r.stdout.endswith(': OK\n'), profile + ': openssl verify',
            r.stdout + r.stderr)
    for label in ('host_key_document', 'backup_host_key_document'):
        r = openssl('verify', '-x509_strict', '-partial_chain', '-trusted',
                    i.path('signing_key_certificate'), i.path(label))
        # The signing key is no CA, as the real one is not: that is the one complaint allowed.
        tap.row('invalid CA certificate' in r.stderr + r.stdout,
                '%s: openssl finds only the signing key to be no CA: %s' % (profile, label),
                r.stdout + r.stderr)
    for label, issuer in (('root_ca_crl', 'root_ca_certificate'),
                          ('intermediate_ca_crl', 'intermediate_ca_certificate'),
                          ('host_key_crl', 'signing_key_certificate')):
        r = openssl('crl', '-in', i.path(label), '-noout', '-text', '-CAfile', i.path(issuer))
        tap.row(r.returncode == 0 and 'verify OK' in r.stderr and 'CRL Number' in r.stdout and
                'Authority Key Identifier' in r.stdout, '%s: openssl crl %s' % (profile, label),
                r.stdout + r.stderr)


def check_signature(i, profile):
    """The document's body and signature cut out and checked with RSA/SHA-512 alone."""
    path = i.path('host_key_document')
    items = openssl('asn1parse', '-in', path).stdout.splitlines()
    top = [line for line in items if ':d=1 ' in line]
    body, signature, key = (os.path.join(i.dir + s) for s in ('.body', '.sig', '.pub'))
    openssl('asn1parse', '-in', path, '-noout', '-strparse', top[0].split(':')[0].strip(),
            '-out', body)
    openssl('asn1parse', '-in', path, '-noout', '-strparse', top[-1].split(':')[0].strip(),
            '-out', signature)
    openssl('x509', '-in', i.path('signing_key_certificate'), '-pubkey', '-noout', '-out', key)
    r = openssl('dgst', '-sha512', '-verify', key, '-signature', signature, body)
    tap.row(r.stdout == 'Verified OK\n', profile + ': RSA/SHA-512 signature', r.stdout + r.stderr)
    for name in (body, signature, key):
        os.unlink(name)


def check_forms(i, profile):
    """PEM, but for the CAs' lists: RFC 5280 wants DER of distribution points."""
    for label in i.json['files']:
        with open(i.path(label), 'rb') as f:
            start = f.read(5)
        want = b'\x30' if label in ('root_ca_crl', 'intermediate_ca_crl') else b'-----'
        if label != 'key_hashes':
            tap.row(start.startswith(want), '%s: form of %s' % (profile, label), start)
    text = openssl('crl', '-in', i.path('host_key_crl'), '-noout', '-text').stdout
    tap.row(text.count('Serial Number:') == 1, profile + ': the list of documents is not empty',
            text)


def check_subjects(i, profile):
    subjects = {}
    for label in i.json['files']:
        if label.endswith('certificate') or label.endswith('document'):
            r = openssl('x509', '-in', i.path(label), '-noout', '-subject', '-nameopt', 'RFC2253')
            subjects[label] = r.stdout
    tap.row(len(subjects) == 5 and all('SIMULATED' in s for s in subjects.values()),
            profile + ': every subject is marked', subjects)
    ibm = 'International Business Machines Corporation'
    want = ('subject=CN=%s,ST=New York,L=Armonk,OU=SIMULATED IBM Z Host Key Signing Service,'
            'O=%s,C=US\n' % (ibm, ibm))
    tap.row(subjects['signing_key_certificate'] == want, profile + ': subject of the signing key',
            subjects)
    tap.row('OU=IBM Z Host Key,' in subjects['host_key_document'],
            profile + ': OU of the document', subjects)


def check_verify(i, profile):
    r = run(*i.verify_args('--offline'))
    tap.row(r.stdout == 'OK\n', profile + ': verification', r.stdout + r.stderr)
    now = int(time.time())
    for what, days in (('yesterday', -0.9), ('in 9 years', 9 * 365.25),
                       ('the day before the document ends', 3652)):
        r = run(*i.verify_args('--offline', '--at', int(now + days * DAY)))
        tap.row(r.stdout == 'OK\n', '%s: verification %s' % (profile, what), r.stdout)
    r = run(*i.verify_args('--offline', '--at', now + 3655 * DAY))
    tap.row('After validity period' in r.stdout,
            profile + ': the document expires before all else', r.stdout)


def test_profile(folder, profile, serial, *url):
    path = os.path.join(folder, profile)
    if url:
        os.mkdir(path)  # an empty folder is taken
    r = run(tool, 'create', path + '//', profile, serial, *url)
    tap.row(r.returncode == 0, profile + ': create', r.stdout)
    i = Identity(path)
    serial = serial or i.json['serial']
    check_names(i, profile, serial)
    check_hashes(i, profile)
    check_openssl(i, profile)
    check_signature(i, profile)
    check_forms(i, profile)
    check_subjects(i, profile)
    check_verify(i, profile)
    r = run(tool, 'show', path)
    values = dict(line.split(' ', 1) for line in r.stdout.splitlines())
    tap.row(values['profile'] == profile and values['serial'] == serial and
            values['created'] == i.json['created'] and
            values['hash'] == i.json['host_key_hash'] and
            values['hkd'] == i.path('host_key_document') and
            values['backup_key'] == i.path('backup_host_key') and
            values['expires'] > values['created'], profile + ': show', r.stdout)
    return i


def check_crl_urls(i):
    tap.row(re.fullmatch('[0-9A-F]{7}', i.json['serial']), 'a random serial number', i.json)
    for label, crl in (('intermediate_ca_certificate', 'rootCA.crl'),
                       ('signing_key_certificate', 'DigiCertCA.crl'),
                       ('host_key_document', 'ibm-z-host-key-gen2.crl'),
                       ('backup_host_key_document', 'ibm-z-host-key-gen2.crl')):
        text = openssl('x509', '-in', i.path(label), '-noout', '-text').stdout
        tap.row('URI:http://127.0.0.1:9/crls/%s\n' % crl in text, 'CRL address in ' + label, text)
    text = openssl('x509', '-in', i.path('root_ca_certificate'), '-noout', '-text').stdout
    tap.row('URI:' not in text, 'no CRL address in the root CA', text)


def fails(what, code, text, *args, **kw):
    r = run(tool, *args, **kw)
    tap.row(r.returncode == 1 and r.stdout.startswith('ERR %d ' % code) and text in r.stdout, what,
            r.stdout + r.stderr)


def test_refusals(folder, made):
    before = sorted(os.listdir(folder))
    new = os.path.join(folder, 'new')
    fails('a folder with content', EXISTS, 'not empty', 'create', made.dir, 'z16')
    a_file = os.path.join(made.dir, 'uv-keys-all')
    fails('a file in the way', EXISTS, 'not a folder', 'create', a_file, 'z16')
    fails('no parent folder', IO, 'cannot create the folder', 'create', new + '/a/b', 'z16')
    fails('an empty name', USAGE, 'empty', 'create', '', 'z16')
    for serial in ('abc', '12345678901234567', 'A B', 'A/B', '../X'):
        fails('serial number %s' % serial, USAGE, 'serial number', 'create', new, 'z16', serial)
    for url in ('ftp://x/', 'http://', 'http://a b', 'http://a,URI:b', 'http://x\n', 'http://é/'):
        fails('CRL address %r' % url, USAGE, 'address', 'create', new, 'z16', '', url)
    tap.row(sorted(os.listdir(folder)) == before, 'refusals leave nothing', os.listdir(folder))
    empty = os.path.join(folder, 'empty')
    os.mkdir(empty)
    fails('the current folder', USAGE, 'current folder', 'create', '.', 'z16', cwd=empty)


def test_failure_leaves_nothing(folder):
    """Files of more than some bytes cannot be written: what was begun must go."""
    place = os.path.join(folder, 'full')
    os.mkdir(place)
    r = subprocess.run(['bash', '-c', 'trap "" XFSZ; ulimit -f 3; exec "$@"', '-', tool,
                        'create', os.path.join(place, 'id'), 'z16'],
                       stdout=subprocess.PIPE, text=True)
    tap.row(r.returncode == 1 and r.stdout.startswith('ERR %d ' % IO) and not os.listdir(place),
            'no room for files of more than 3 KiB: nothing is left', r.stdout)
    p = subprocess.Popen([tool, 'create', os.path.join(place, 'id'), 'z16'])
    time.sleep(0.1)
    p.terminate()
    p.wait()
    tap.row(not os.listdir(place), 'ended while it makes the keys: nothing is left',
            os.listdir(place))


def test_contradictions(folder, made, other):
    """Each damage to an identity is found."""
    def damaged(what, text, change, code=FORMAT):
        path = os.path.join(folder, 'damaged')
        shutil.copytree(made.dir, path)
        change(Identity(path))
        fails('show: ' + what, code, text, 'show', path)
        shutil.rmtree(path)

    def replace(label, source):
        return lambda i: shutil.copy(source, i.path(label))

    def edit(key, value):
        def change(i):
            if value is None:
                del i.json[key]
            else:
                i.json[key] = value
            with open(os.path.join(i.dir, 'identity.json'), 'w') as f:
                json.dump(i.json, f)
        return change

    def write(name, text):
        def change(i):
            with open(os.path.join(i.dir, name), 'w') as f:
                f.write(text)
        return change

    for label in ('host_key_document', 'backup_host_key_document'):
        damaged(label + ' of another machine', 'another key hash',
                replace(label, other.path(label)))
        damaged(label + ' missing', 'cannot open', lambda i, k=label: os.unlink(i.path(k)), IO)
    for label in ('root_ca_certificate', 'intermediate_ca_certificate', 'signing_key_certificate',
                  'root_ca_crl', 'intermediate_ca_crl', 'host_key_crl'):
        damaged(label + ' of another machine', 'not signed by', replace(label, other.path(label)))
    damaged('uv-keys-all of another machine', 'uv-keys-all',
            replace('key_hashes', other.path('key_hashes')))
    damaged('a CRL in place of a certificate', '0 certificates, not 1',
            replace('root_ca_certificate', made.path('root_ca_crl')))
    damaged('a certificate in place of a CRL', '0 CRLs, not 1',
            replace('root_ca_crl', made.path('root_ca_certificate')))
    for key, value in (('profile', 'z14'), ('type', '9999'), ('serial', 'a/b'), ('created', 'now'),
                       ('host_key_hash', '0' * 63), ('backup_host_key_hash', None), ('files', {}),
                       ('serial', 7), ('version', 2), ('version', 'one'), ('files', None)):
        damaged('%s is %r in identity.json' % (key, value),
                'version' if key == 'version' else
                'host_key_document' if value == {} else "'%s'" % key, edit(key, value))
    damaged('hash of another key', 'uv-keys-all', edit('host_key_hash', '0' * 64))
    for what, text in (('empty', ''), ('a list', '[]'), ('broken', '{"version": 1'),
                       ('deep', '[' * 1000), ('huge', ' ' * 70000)):
        damaged('identity.json: ' + what, 'identity', write('identity.json', text))
    fails('show: no such folder', IO, 'cannot open', 'show', os.path.join(folder, 'none'))
    path = os.path.join(folder, 'public')
    shutil.copytree(made.dir, path, ignore=shutil.ignore_patterns('private'))
    tap.row(run(tool, 'show', path).returncode == 0, 'show needs no private keys')
    r = run(*made.verify_args('--offline', '--cert', other.path('signing_key_certificate')))
    tap.row('Specify only one IBM Z signing key' in r.stdout, 'signing keys of two machines',
            r.stdout)
    args = [made.path('host_key_document') if a == other.path('host_key_document') else a
            for a in other.verify_args('--offline')]
    tap.row('Authority Key Id mismatch' in run(*args).stdout, 'a document of another machine')


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = {'z15': test_profile(folder, 'z15', 'A'),
                'z16': test_profile(folder, 'z16', 'Z' * 16),
                'z17': test_profile(folder, 'z17', '', 'http://127.0.0.1:9/crls/')}
        check_crl_urls(made['z17'])
        test_refusals(folder, made['z16'])
        test_failure_leaves_nothing(folder)
        test_contradictions(folder, made['z16'], made['z17'])
        tap.end()


main()
