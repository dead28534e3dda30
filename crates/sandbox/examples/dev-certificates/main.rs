//! Makes the certificates of development anew: `cargo run -p sandbox --example dev-certificates`.
//!
//! Writes `deploy/dev/sandbox/{ca.pem,server.pem,server.key}` and, for each development merchant,
//! `deploy/dev/merchants/<merchant>.cert.pem` and `.cert.key`. They are committed, and valid for a century. The key of
//! the authority is thrown away: nothing else will ever be issued by it, and whoever needs one more runs this again.

mod authority;

use std::{fs, path::Path};

use anyhow::Context as _;
use authority::{Authority, Issued};
use merchants::Merchants;

fn main() -> anyhow::Result<()> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dev");
    let (sandbox, merchants) = (deploy.join("sandbox"), deploy.join("merchants"));
    fs::create_dir_all(&sandbox).with_context(|| format!("cannot make {}", sandbox.display()))?;
    let authority = Authority::new("Tongbao sandbox")?;
    write(&sandbox.join("ca.pem"), &authority.certificate())?;
    let Issued { certificate, key } = authority.issue_for_host()?;
    write(&sandbox.join("server.pem"), &certificate)?;
    write(&sandbox.join("server.key"), &key)?;
    for merchant in Merchants::load(&merchants)?.list() {
        let Issued { certificate, key } = authority.issue_for_merchant(merchant.mch_id())?;
        write(&merchants.join(format!("{}.cert.pem", merchant.name)), &certificate)?;
        write(&merchants.join(format!("{}.cert.key", merchant.name)), &key)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
