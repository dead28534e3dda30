//! An authority that issues certificates as WeChat's would: one for its host, one for each merchant.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

/// Valid from the first day of this year …
const FROM_YEAR: i32 = 2020;

/// … to the first day of this one. Nobody who develops here shall ever look for an expired certificate.
const TO_YEAR: i32 = 2120;

/// An authority with its key. The key ends with this value.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM texts.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Authority, Error> {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Authority(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its own certificate: what others trust.
    pub(crate) fn certificate(&self) -> String {
        self.0.pem()
    }

    /// For a host on this machine.
    pub(crate) fn issue_for_host(&self) -> Result<Issued, Error> {
        let mut params = params("localhost");
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// For the merchant with this number. WeChat writes the number into the common name alone; the name beside it is
    /// what a TLS library can compare without reading the certificate itself.
    pub(crate) fn issue_for_merchant(&self, mch_id: &str) -> Result<Issued, Error> {
        let mut params = params(mch_id);
        params.subject_alt_names = vec![SanType::DnsName(format!("{mch_id}.merchant.invalid").try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Issued, Error> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(FROM_YEAR, 1, 1);
    params.not_after = date_time_ymd(TO_YEAR, 1, 1);
    params
}
