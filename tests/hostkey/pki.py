# SPDX-License-Identifier: MIT
"""A small PKI for tests, written from RFC 5280 with its own DER encoder.

The openssl program makes keys and signatures; everything else is built here, so that a
certificate or a list can be wrong in any way. Nothing is shared with the code under test.
"""
import base64
import hashlib
import os
import subprocess
import time

DAY = 86400
NOW = int(time.time())

IBM = 'International Business Machines Corporation'

OIDS = {
    'CN': '2.5.4.3', 'C': '2.5.4.6', 'L': '2.5.4.7', 'ST': '2.5.4.8', 'O': '2.5.4.10',
    'OU': '2.5.4.11',
}


# --- DER -----------------------------------------------------------------------------------------

def tlv(tag, body):
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 128 | size]) + n.to_bytes(size, 'big') + body


def seq(*parts):
    return tlv(0x30, b''.join(parts))


def integer(v):
    return tlv(0x02, v.to_bytes(v.bit_length() // 8 + 1, 'big'))


def oid(text):
    arcs = [int(a) for a in text.split('.')]
    body = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        chunk = [arc & 127]
        while arc > 127:
            arc >>= 7
            chunk.append(arc & 127 | 128)
        body += bytes(reversed(chunk))
    return tlv(0x06, body)


def bits(data, unused=0):
    return tlv(0x03, bytes([unused]) + data)


def octets(data):
    return tlv(0x04, data)


def when(t):
    tm = time.gmtime(t)
    if tm.tm_year < 2050:
        return tlv(0x17, time.strftime('%y%m%d%H%M%SZ', tm).encode())
    return tlv(0x18, time.strftime('%Y%m%d%H%M%SZ', tm).encode())


def name(entries):
    """entries: (attribute, text) pairs, in order."""
    return seq(*(tlv(0x31, seq(oid(OIDS[a]), tlv(0x13 if a == 'C' else 0x0c, v.encode())))
                 for a, v in entries))


# --- Extensions ----------------------------------------------------------------------------------

def ext(number, body, critical=False):
    return seq(oid(number), *([b'\x01\x01\xff'] if critical else []), octets(body))


def basic(ca):
    return ext('2.5.29.19', seq(b'\x01\x01\xff') if ca else seq(), True)


KEY_USAGE = {'ca': (0x06, 1), 'sign': (0x80, 7), 'agree': (0x08, 3)}


def usage(kind):
    value, unused = KEY_USAGE[kind]
    return ext('2.5.29.15', bits(bytes([value]), unused), True)


def skid(key_id):
    return ext('2.5.29.14', octets(key_id))


def akid(key_id):
    return ext('2.5.29.35', seq(tlv(0x80, key_id)))


def crl_points(points):
    """points: one list of URLs for each distribution point."""
    return ext('2.5.29.31', seq(*(
        seq(tlv(0xa0, tlv(0xa0, b''.join(tlv(0x86, u.encode()) for u in urls))))
        for urls in points)))


# --- Keys ----------------------------------------------------------------------------------------

def openssl(*args, stdin=b''):
    return subprocess.run(['openssl', *args], input=stdin, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


class Key:
    def __init__(self, folder, label, kind):
        self.path = os.path.join(folder, label + '.key')
        if not os.path.exists(self.path):
            if kind.startswith('rsa'):
                args = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:' + kind[3:]]
            else:
                args = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:' + kind]
            openssl('genpkey', *args, '-out', self.path)
        self.kind = kind
        self.spki = openssl('pkey', '-in', self.path, '-pubout', '-outform', 'DER')
        self.id = hashlib.sha1(self.spki + b'id').digest()

    def sign(self, tbs, digest='sha256'):
        return openssl('dgst', '-' + digest, '-sign', self.path, stdin=tbs)


RSA_OID = {'sha1': '1.2.840.113549.1.1.5', 'sha256': '1.2.840.113549.1.1.11',
           'sha512': '1.2.840.113549.1.1.13'}


def signed(tbs_of, key, digest, damage=False):
    algorithm = seq(oid(RSA_OID[digest]), b'\x05\x00')
    tbs = tbs_of(algorithm)
    signature = bytearray(key.sign(tbs, digest))
    if damage:
        signature[-1] ^= 1
    return seq(tbs, algorithm, bits(bytes(signature)))


# --- Certificates and lists ----------------------------------------------------------------------

serial_counter = 0x5000


def cert(subject, issuer, key, issuer_key, extensions, start=NOW - 10 * DAY, end=NOW + 100 * DAY,
         serial=None, digest='sha256', damage=False):
    global serial_counter
    serial_counter += 1
    body = [tlv(0xa0, integer(2)), integer(serial or serial_counter)]
    rest = [name(issuer), seq(when(start), when(end)), name(subject), key.spki,
            tlv(0xa3, seq(*extensions))]
    return signed(lambda a: seq(*body, a, *rest), issuer_key, digest, damage)


REMOVE_FROM_CRL = 8


def crl(issuer, key, revoked=(), start=NOW - 5 * DAY, end=NOW + 50 * DAY, key_id=None,
        digest='sha256', damage=False):
    """revoked: serials or (serial, reason); key_id: another AKID, or False for none."""
    entries = []
    for r in revoked:
        serial, reason = r if isinstance(r, tuple) else (r, None)
        entries.append(seq(integer(serial), when(NOW - 2 * DAY), *(
            [seq(ext('2.5.29.21', tlv(0x0a, bytes([reason]))))] if reason is not None else [])))
    extensions = [ext('2.5.29.20', integer(7))]
    if key_id is not False:
        extensions.insert(0, akid(key_id or key.id))
    rest = [name(issuer), when(start), *([when(end)] if end else []),
            *([seq(*entries)] if entries else []), tlv(0xa0, seq(*extensions))]
    return signed(lambda a: seq(integer(1), a, *rest), key, digest, damage)


def pem(der, label='CERTIFICATE'):
    text = base64.encodebytes(der).replace(b'\n', b'').decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return '-----BEGIN %s-----\n%s\n-----END %s-----\n' % (label, '\n'.join(lines), label)


def pem_crl(der):
    return pem(der, 'X509 CRL')


# --- The usual hierarchy -------------------------------------------------------------------------

ROOT = [('C', 'US'), ('O', 'Test PKI'), ('CN', 'Test root')]
INTER = [('C', 'US'), ('O', 'Test PKI'), ('CN', 'Test intermediate')]


def signing_name(locality='Poughkeepsie', order=('C', 'O', 'OU', 'L', 'ST', 'CN'), **other):
    value = {'C': 'US', 'O': IBM, 'OU': 'Test Key Signing Service', 'L': locality,
             'ST': 'New York', 'CN': IBM}
    value.update(other)
    return [(a, value[a]) for a in order]


SIGNING = signing_name()
HKD = [('C', 'US'), ('O', IBM), ('OU', 'IBM Z Host Key'), ('L', 'Armonk'), ('ST', 'New York'),
       ('CN', IBM)]


class Pki:
    """Keys once, and the certificates and lists of a healthy chain."""

    def __init__(self, folder):
        self.folder = folder
        self.root_key = Key(folder, 'root', 'rsa2048')
        self.inter_key = Key(folder, 'inter', 'rsa2048')
        self.signing_key = Key(folder, 'signing', 'rsa2048')
        self.other_key = Key(folder, 'other', 'rsa2048')
        self.host_key = Key(folder, 'host', 'P-521')

    def key(self, label, kind):
        return Key(self.folder, label, kind)

    def write(self, label, data):
        path = os.path.join(self.folder, label)
        with open(path, 'wb') as f:
            f.write(data.encode() if isinstance(data, str) else data)
        return path

    def root(self, subject=None, key=None, **kw):
        key = key or self.root_key
        subject = subject or ROOT
        return cert(subject, subject, key, key,
                    [basic(True), usage('ca'), skid(key.id), akid(key.id)], **kw)

    def inter(self, key=None, issuer_key=None, points=None, ca=True, issuer=None, subject=None,
              **kw):
        key = key or self.inter_key
        issuer_key = issuer_key or self.root_key
        extensions = [basic(ca), usage('ca'), skid(key.id), akid(issuer_key.id)]
        if points:
            extensions.append(crl_points(points))
        return cert(subject or INTER, issuer or ROOT, key, issuer_key, extensions, **kw)

    def signing(self, subject=None, key=None, issuer_key=None, points=None, **kw):
        key = key or self.signing_key
        issuer_key = issuer_key or self.inter_key
        extensions = [basic(False), usage('sign'), skid(key.id), akid(issuer_key.id)]
        if points:
            extensions.append(crl_points(points))
        return cert(subject or SIGNING, kw.pop('issuer', INTER), key, issuer_key, extensions, **kw)

    def hkd(self, key=None, issuer_key=None, issuer=None, key_id=None, points=None, **kw):
        key = key or self.host_key
        issuer_key = issuer_key or self.signing_key
        extensions = [usage('agree'), skid(key.id)]
        if key_id is not False:
            extensions.append(akid(key_id or issuer_key.id))
        if points:
            extensions.append(crl_points(points))
        kw.setdefault('digest', 'sha512')
        return cert(kw.pop('subject', HKD), issuer or SIGNING, key, issuer_key, extensions, **kw)

    def root_crl(self, **kw):
        return crl(kw.pop('issuer', ROOT), kw.pop('key', self.root_key), **kw)

    def inter_crl(self, **kw):
        return crl(kw.pop('issuer', INTER), kw.pop('key', self.inter_key), **kw)

    def signing_crl(self, **kw):
        return crl(kw.pop('issuer', SIGNING), kw.pop('key', self.signing_key), **kw)
