//! `Error`: why a run ends without a verdict; one variant per stage.

/// Why a run ends without a verdict (exit 2).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The image could not be read.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
    /// The layers are not the promised bytes.
    #[error(transparent)]
    Layers(#[from] crate::layers::Error),
    /// A bill of materials could not be read.
    #[error("cannot read the bill of materials `{name}`")]
    Document {
        /// The document as the user named it.
        name: String,
        /// Why.
        source: crate::inventory::CatalogError,
    },
    /// The advisory database could not be built or opened.
    #[error(transparent)]
    Advisory(#[from] crate::advisory::Error),
    /// A finding source could not be set up.
    #[error(transparent)]
    Findings(#[from] crate::findings::Error),
    /// Signatures could not be looked for.
    #[error(transparent)]
    Verify(#[from] crate::verify::Error),
    /// Something could not be signed.
    #[error(transparent)]
    Attest(#[from] crate::attest::Error),
    /// The policy could not be loaded.
    #[error(transparent)]
    Policy(#[from] crate::policy::Error),
    /// One of several platforms could not be judged.
    #[error("cannot judge {platform}")]
    Platform {
        /// Which one.
        platform: String,
        /// Why.
        source: Box<Self>,
    },
    /// A worker thread ended without an answer.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// What the user can do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Layers(error) => match error.origin().and_then(|origin| origin.downcast_ref::<crate::registry::Error>()) {
                Some(error) => error.hint(),
                None => Some("the layer is not what the manifest promises: push or save the image again".to_owned()),
            },
            Self::Advisory(error) => error.hint(),
            Self::Verify(error) => error.hint(),
            Self::Attest(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::Platform { source, .. } => source.hint(),
            Self::Document { .. } => Some("CycloneDX in JSON, and SPDX 2.2 or 2.3 in JSON or tag-value form, are read".to_owned()),
            Self::Findings(_) => None,
            Self::Internal(_) => Some("please report this with the command that you ran".to_owned()),
        }
    }
}
