//! Every rule: one file each, one list.

mod add_remote_unverified;
mod apk_allow_untrusted;
mod apt_allow_unauthenticated;
mod apt_force_yes;
mod chpasswd_in_run;
mod credentials_in_url;
mod curl_insecure;
mod docker_socket_volume;
mod download_piped_to_shell;
mod git_ssl_verify_disabled;
mod latest_tag;
mod missing_user;
mod node_tls_verify_disabled;
mod npm_strict_ssl_disabled;
mod npm_strict_ssl_env_disabled;
mod parse_error;
mod passwordless_sudo;
mod pip_trusted_host;
mod pip_trusted_host_env;
mod python_https_verify_disabled;
mod root_user;
mod rpm_signature_skipped;
mod run_network_host;
mod run_security_insecure;
mod secret_in_arg;
mod secret_in_env;
mod secret_literal;
mod setuid_bit_added;
mod sudo_in_run;
mod untagged_image;
mod untrusted_frontend;
mod wget_no_check_certificate;
mod world_writable_path;
mod yum_nogpgcheck;
mod zypper_no_gpg_checks;

use super::rule::Rule;

/// The rules, sorted by id.
pub(super) const RULES: &[&dyn Rule] = &[
    &add_remote_unverified::AddRemoteUnverified,
    &apk_allow_untrusted::ApkAllowUntrusted,
    &apt_allow_unauthenticated::AptAllowUnauthenticated,
    &apt_force_yes::AptForceYes,
    &chpasswd_in_run::ChpasswdInRun,
    &credentials_in_url::CredentialsInUrl,
    &curl_insecure::CurlInsecure,
    &docker_socket_volume::DockerSocketVolume,
    &download_piped_to_shell::DownloadPipedToShell,
    &git_ssl_verify_disabled::GitSslVerifyDisabled,
    &latest_tag::LatestTag,
    &missing_user::MissingUser,
    &node_tls_verify_disabled::NodeTlsVerifyDisabled,
    &npm_strict_ssl_disabled::NpmStrictSslDisabled,
    &npm_strict_ssl_env_disabled::NpmStrictSslEnvDisabled,
    &parse_error::ParseError,
    &passwordless_sudo::PasswordlessSudo,
    &pip_trusted_host::PipTrustedHost,
    &pip_trusted_host_env::PipTrustedHostEnv,
    &python_https_verify_disabled::PythonHttpsVerifyDisabled,
    &root_user::RootUser,
    &rpm_signature_skipped::RpmSignatureSkipped,
    &run_network_host::RunNetworkHost,
    &run_security_insecure::RunSecurityInsecure,
    &secret_in_arg::SecretInArg,
    &secret_in_env::SecretInEnv,
    &secret_literal::SecretLiteral,
    &setuid_bit_added::SetuidBitAdded,
    &sudo_in_run::SudoInRun,
    &untagged_image::UntaggedImage,
    &untrusted_frontend::UntrustedFrontend,
    &wget_no_check_certificate::WgetNoCheckCertificate,
    &world_writable_path::WorldWritablePath,
    &yum_nogpgcheck::YumNogpgcheck,
    &zypper_no_gpg_checks::ZypperNoGpgChecks,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_sorted_and_described() {
        let metas: Vec<_> = RULES.iter().map(|rule| rule.meta()).collect();
        assert!(metas.is_sorted_by(|a, b| a.id < b.id));
        for meta in metas {
            assert!(meta.aliases.is_sorted(), "{}", meta.id);
            assert!(meta.summary.ends_with('.') && meta.help.matches("```dockerfile").count() == 2, "{}", meta.id);
        }
    }

    #[test]
    fn every_spelling_of_an_alias_is_found() {
        for alias in ["root-user", "DL3002", "dl3002", "DS-0002", "DS002", "avd-ds-0002", "CKV_DOCKER_8"] {
            assert_eq!(crate::dockerfile::rule(alias).map(|meta| meta.id), Some("root-user"), "{alias}");
        }
        assert_eq!(crate::dockerfile::rule("DL9999"), None);
    }
}
