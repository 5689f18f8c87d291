//! `plimsoll db push`: the database into a registry, signed.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    advisory::{self, artifact},
    attest::{
        KeySigner,
        key::is_encrypted,
        simple_signing::{self, Signed},
    },
    aws,
    cli::{Failure, Global, options::RegistryOptions, output::print},
    exit::ExitStatus,
    model::reference::{ImageReference, RegistryReference},
    registry::{self, Publisher},
};

/// Arguments of `db push`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  COSIGN_PASSWORD=... plimsoll db push ghcr.io/acme/advisories:latest --key cosign.key\n\nBlobs that the registry has are not sent again. The tag moves when blobs and signature are there. Shards whose licence forbids it (Wolfi, Chainguard) are not pushed."
)]
pub(in crate::cli) struct PushArgs {
    /// Where to: `HOST/NAME[:TAG]` (repeatable).
    #[arg(value_name = "REF", required = true)]
    to: Vec<String>,
    /// Private key to sign with, PEM: one of `cosign generate-key-pair` (password in COSIGN_PASSWORD), or `PRIVATE KEY`. Without it the database
    /// stays unsigned, and is refused where it is pulled.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Runs `db push`.
pub(super) async fn run(args: PushArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let places = args.to.iter().map(|text| place(text)).collect::<Result<Vec<_>, _>>()?;
    let signer = args.key.as_deref().map(signer).transpose()?;
    let folder = super::folder(args.db)?;
    let options = args.registry.build(aws::Settings::default())?;
    let packed = tokio::task::spawn_blocking(move || artifact::pack(&folder))
        .await
        .map_err(|_| Failure::new("packing the database was interrupted"))??;
    let mut text = Vec::new();
    for (shard, licence) in &packed.withheld {
        let _ = writeln!(text, "not pushed: {shard} (licence: {licence}); it is for the machine that built it");
    }
    for place in &places {
        let publisher = Publisher::open(place, &options, global.progress())?;
        let pushed = packed.push(&publisher).await.map_err(advisory::Error::from)?;
        let signed = match &signer {
            Some(signer) => {
                // Of the repository itself: signatures that a mirror has not seen yet must not be lost.
                let unmirrored = registry::Options { mirrors: Vec::new(), ..options.clone() };
                let source = registry::open(&ImageReference::Registry(place.clone()), &unmirrored, global.progress()).await?;
                match simple_signing::sign(signer, &packed.digest, place, source.as_ref(), &publisher).await? {
                    Signed::Now => "signed",
                    Signed::Before => "was signed before",
                }
            }
            None => "not signed",
        };
        packed.publish(&publisher, place.tag.as_deref().unwrap_or("latest")).await.map_err(advisory::Error::from)?;
        let _ = writeln!(text, "pushed: {place}@{}", packed.digest);
        let _ = writeln!(text, "  {} shards in {} bytes, {signed}", packed.contents.shards.len(), packed.contents.download_bytes());
        let _ = writeln!(text, "  {} blobs sent ({} bytes), {} were there", pushed.sent, pushed.bytes, pushed.known);
    }
    print(&text)
}

fn place(text: &str) -> Result<RegistryReference, Failure> {
    match ImageReference::parse(text) {
        Ok(ImageReference::Registry(reference)) if reference.digest.is_none() => Ok(reference),
        Ok(ImageReference::Registry(_)) => {
            Err(Failure::new(format!("`{text}` names a digest, which comes of what is pushed")).hint("name a tag, or nothing for `latest`"))
        }
        Ok(_) => Err(Failure::new(format!("`{text}` is not in a registry")).hint("use HOST/NAME[:TAG]")),
        Err(error) => Err(Failure::new(format!("cannot read reference `{text}`: {error}")).hint("use HOST/NAME[:TAG]")),
    }
}

fn signer(file: &Path) -> Result<KeySigner, Failure> {
    let pem = fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("cannot read signing key `{}`: {error}", file.display())).hint("--key takes a PEM private key")
    })?;
    let password = if is_encrypted(&pem) { Some(password(file)?) } else { None };
    Ok(KeySigner::parse(&file.display().to_string(), &pem, password.as_deref())?)
}

/// From the environment, as cosign has it, else from whoever sits at the terminal.
fn password(file: &Path) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("COSIGN_PASSWORD") {
        return Ok(password);
    }
    if !io::stdin().is_terminal() {
        return Err(
            Failure::new(format!("signing key `{}` is encrypted, and there is no password", file.display())).hint("set COSIGN_PASSWORD")
        );
    }
    rpassword::prompt_password(format!("Password for {}: ", file.display()))
        .map_err(|error| Failure::new(format!("cannot read the password: {error}")))
}
