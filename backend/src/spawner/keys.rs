//! The keys of a job, derived and never stored: any Slipway with the same secret can make them again.

use std::sync::Arc;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use shared::names::UserName;

use crate::keys::{Secret, key_id};

/// An Ed25519 key pair and its self-signed certificate.
pub struct ServerIdentity {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    key: SecretString,
}

/// The secrets from which jobs' keys are derived: the present one, and former ones by their ids.
pub struct JobKeys {
    secrets: Vec<(String, Secret)>,
}

/// A key could not be made. A defect: there is nothing in the input that could cause it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job's key could not be made")]
pub struct KeyFailure;

impl JobKeys {
    /// The present secret first.
    pub fn new(secrets: Vec<Secret>) -> Self {
        let id = |secret: &Secret| key_id(secret.expose());
        Self {
            secrets: secrets.into_iter().map(|secret| (id(&secret), secret)).collect(),
        }
    }

    /// The id of the secret that new jobs are made with.
    pub fn current(&self) -> &str {
        self.secrets.first().map_or("", |(id, _)| id.as_str())
    }

    /// The server's identity of one job. The person's name goes into the key: a nonce copied from somebody
    /// else's job, where everybody can read it, leads to another key.
    pub fn server(&self, key_id: &str, user: &UserName, nonce: &str) -> Result<ServerIdentity, KeyFailure> {
        self.derive(key_id, &["server", user.as_str(), nonce])
    }

    /// Slipway's own identity towards the jobs made with this secret.
    pub fn client(&self, key_id: &str) -> Result<ServerIdentity, KeyFailure> {
        self.derive(key_id, &["client"])
    }

    fn derive(&self, key_id: &str, purpose: &[&str]) -> Result<ServerIdentity, KeyFailure> {
        let (_, secret) = self.secrets.iter().find(|(id, _)| id == key_id).ok_or(KeyFailure)?;
        ServerIdentity::from_secret(secret.expose(), purpose).ok_or(KeyFailure)
    }
}

/// The length of an Ed25519 seed.
struct Seed;

impl KeyType for Seed {
    fn len(&self) -> usize {
        32
    }
}

impl ServerIdentity {
    fn from_secret(secret: &[u8], purpose: &[&str]) -> Option<Self> {
        let mut info = vec![&b"slipway job key 1"[..]];
        // Each part ends with a byte that none of them contains: no two lists run together the same.
        info.extend(purpose.iter().flat_map(|part| [&b"\0"[..], part.as_bytes()]));
        let mut seed = [0; 32];
        Salt::new(HKDF_SHA256, b"slipway")
            .extract(secret)
            .expand(&info, Seed)
            .ok()?
            .fill(&mut seed)
            .ok()?;
        // PKCS #8 version 1 of an Ed25519 key is this prefix and the seed (RFC 8410, section 7).
        let prefix = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ];
        let der = PrivatePkcs8KeyDer::from([&prefix[..], &seed].concat());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).ok()?;
        // rcgen's default dates and a serial number made from the key: the same certificate every time.
        let mut params = CertificateParams::new(vec!["slipway".to_owned()]).ok()?;
        params
            .distinguished_name
            .push(DnType::CommonName, format!("slipway {}", purpose.first()?));
        let certificate = params.self_signed(&pair).ok()?.der().clone();
        Some(Self {
            certificate,
            key: pair.serialize_pem().into(),
        })
    }

    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> String {
        let body = STANDARD.encode(&self.certificate);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }

    /// The private key in PEM.
    pub fn key_pem(&self) -> &str {
        self.key.expose_secret()
    }

    /// The private key for TLS.
    pub fn key_der(&self) -> Option<PrivateKeyDer<'static>> {
        rustls::pki_types::pem::PemObject::from_pem_slice(self.key_pem().as_bytes()).ok()
    }
}

/// TLS towards one job: our certificate for it, and nothing accepted but the certificate derived for it.
pub(super) fn tls_config(
    server: &ServerIdentity,
    client: &ServerIdentity,
) -> Result<Arc<rustls::ClientConfig>, KeyFailure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Pinned {
        certificate: server.certificate.clone(),
        provider: Arc::clone(&provider),
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| KeyFailure)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(vec![client.certificate.clone()], client.key_der().ok_or(KeyFailure)?)
        .map_err(|_| KeyFailure)?;
    Ok(Arc::new(config))
}

/// Accepts one certificate and no other, whatever names or dates it has.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

mod pinned {
    use super::Pinned;
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

    impl ServerCertVerifier for Pinned {
        fn verify_server_cert(
            &self,
            end_entity: &CertificateDer<'_>,
            _intermediates: &[CertificateDer<'_>],
            _server_name: &ServerName<'_>,
            _ocsp_response: &[u8],
            _now: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            if *end_entity == self.certificate {
                Ok(ServerCertVerified::assertion())
            } else {
                Err(Error::InvalidCertificate(
                    CertificateError::ApplicationVerificationFailure,
                ))
            }
        }

        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _certificate: &CertificateDer<'_>,
            _signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::General("TLS 1.3 only".into()))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> JobKeys {
        let folder = tempfile::tempdir().unwrap();
        JobKeys::new(vec![Secret::read_or_create(&folder.path().join("job.key")).unwrap()])
    }

    #[test]
    fn a_key_can_be_made_again_and_belongs_to_one_person_and_one_job() {
        let keys = keys();
        let (ada, bob) = (UserName::new("ada").unwrap(), UserName::new("bob").unwrap());
        let certificate = |user, nonce| keys.server(keys.current(), user, nonce).unwrap().certificate;
        assert_eq!(certificate(&ada, "n1"), certificate(&ada, "n1"));
        assert_ne!(certificate(&ada, "n1"), certificate(&ada, "n2"));
        assert_ne!(
            certificate(&ada, "n1"),
            certificate(&bob, "n1"),
            "a nonce can be read by everybody"
        );
        assert_ne!(
            certificate(&ada, "n1"),
            keys.client(keys.current()).unwrap().certificate
        );
        assert!(keys.server("another", &ada, "n1").is_err());
    }

    #[test]
    fn certificate_and_key_are_pem_that_tls_takes() {
        let keys = keys();
        let server = keys
            .server(keys.current(), &UserName::new("ada").unwrap(), "n")
            .unwrap();
        assert!(server.key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
        assert!(tls_config(&server, &keys.client(keys.current()).unwrap()).is_ok());
    }
}
