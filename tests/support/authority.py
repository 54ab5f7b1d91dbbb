"""An authority of the tests' own, which signs a certificate for each host that is asked for."""

import datetime
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """Its certificate is in `file`, and those that it signs are beside it."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "authority.pem"
        self._key, self._leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._contexts, self._turn = {}, threading.Lock()
        self.file.write_bytes(self._certificate("tests", self._key).public_bytes(serialization.Encoding.PEM))

    def context(self, host):
        """What a server of this name speaks TLS with."""
        with self._turn:
            if host not in self._contexts:
                file = self.folder / f"{host}.pem"
                private = self._leaf.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                made = self._certificate(host, self._leaf).public_bytes(serialization.Encoding.PEM)
                file.write_bytes(private + made)
                self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._contexts[host].load_cert_chain(file)
            return self._contexts[host]

    def _certificate(self, name, key):
        is_authority = key is self._key
        now = datetime.datetime.now(datetime.UTC)
        unused = ("content_commitment", "data_encipherment", "encipher_only", "decipher_only", "key_encipherment")
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=is_authority,
            crl_sign=is_authority,
            key_agreement=False,
            **dict.fromkeys(unused, False),
        )
        of_authority = self._key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(of_authority), critical=False)
        )
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())
