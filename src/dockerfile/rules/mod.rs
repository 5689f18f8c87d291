//! Every rule: one file each, one list.

mod add_instead_of_copy;
mod add_remote_unverified;
mod apk_allow_untrusted;
mod apk_cache_left;
mod apk_upgrade;
mod apt_allow_unauthenticated;
mod apt_force_yes;
mod apt_get_missing_yes;
mod apt_instead_of_apt_get;
mod apt_key_add;
mod apt_lists_left;
mod apt_recommends;
mod apt_source_trusted;
mod apt_upgrade;
mod archive_copied_then_extracted;
mod base_platform_mismatch;
mod cd_in_run;
mod chpasswd_in_run;
mod consecutive_runs;
mod constant_platform;
mod copy_destination_not_directory;
mod copy_from_own_stage;
mod copy_from_unknown_stage;
mod copy_relative_without_workdir;
mod credentials_in_url;
mod curl_insecure;
mod default_shell_relinked;
mod dnf_cache_left;
mod dnf_missing_yes;
mod dnf_update;
mod docker_socket_volume;
mod download_not_verified;
mod download_piped_to_shell;
mod duplicate_stage_name;
mod empty_continuation;
mod env_self_reference;
mod expose_host_mapping;
mod expose_protocol_casing;
mod forbidden_onbuild_trigger;
mod from_as_casing;
mod frontend_not_pinned;
mod git_ssl_verify_disabled;
mod heredoc_without_errexit;
mod image_not_pinned;
mod instruction_before_from;
mod instruction_casing;
mod invalid_default_arg_in_from;
mod label_invalid_key;
mod large_uid_log;
mod latest_tag;
mod legacy_key_value;
mod maintainer_deprecated;
mod microdnf_cache_left;
mod misplaced_description;
mod missing_healthcheck;
mod missing_user;
mod multiple_cmd;
mod multiple_entrypoint;
mod multiple_healthcheck;
mod named_user;
mod node_tls_verify_disabled;
mod npm_strict_ssl_disabled;
mod npm_strict_ssl_env_disabled;
mod owned_by_runtime_user;
mod parse_error;
mod passwordless_sudo;
mod pip_cache_left;
mod pip_trusted_host;
mod pip_trusted_host_env;
mod pipe_without_pipefail;
mod plain_http_download;
mod port_out_of_range;
mod python_https_verify_disabled;
mod redundant_platform;
mod relative_workdir;
mod reserved_stage_name;
mod root_user;
mod rpm_signature_skipped;
mod run_network_host;
mod run_security_insecure;
mod secret_in_arg;
mod secret_in_env;
mod secret_in_run;
mod secret_literal;
mod secret_mount_persisted;
mod setuid_bit_added;
mod shell_form_cmd;
mod ssh_port_exposed;
mod stage_name_casing;
mod sudo_in_run;
mod system_directory_volume;
mod system_directory_workdir;
mod undeclared_arg_in_from;
mod undefined_variable;
mod unpinned_apk;
mod unpinned_apt;
mod unpinned_dnf;
mod unpinned_gem;
mod unpinned_go;
mod unpinned_npm;
mod unpinned_pip;
mod unpinned_yum;
mod unpinned_zypper;
mod untagged_image;
mod untrusted_frontend;
mod update_without_install;
mod useless_command;
mod wget_and_curl;
mod wget_no_check_certificate;
mod wget_without_progress;
mod whole_filesystem_copied;
mod world_writable_path;
mod yarn_cache_left;
mod yum_cache_left;
mod yum_missing_yes;
mod yum_nogpgcheck;
mod yum_sslverify_disabled;
mod yum_update;
mod zypper_cache_left;
mod zypper_dist_upgrade;
mod zypper_interactive;
mod zypper_no_gpg_checks;
mod zypper_update;

use super::rule::Rule;

/// The rules, sorted by id.
pub(super) const RULES: &[&dyn Rule] = &[
    &add_instead_of_copy::AddInsteadOfCopy,
    &add_remote_unverified::AddRemoteUnverified,
    &apk_allow_untrusted::ApkAllowUntrusted,
    &apk_cache_left::ApkCacheLeft,
    &apk_upgrade::ApkUpgrade,
    &apt_allow_unauthenticated::AptAllowUnauthenticated,
    &apt_force_yes::AptForceYes,
    &apt_get_missing_yes::AptGetMissingYes,
    &apt_instead_of_apt_get::AptInsteadOfAptGet,
    &apt_key_add::AptKeyAdd,
    &apt_lists_left::AptListsLeft,
    &apt_recommends::AptRecommends,
    &apt_source_trusted::AptSourceTrusted,
    &apt_upgrade::AptUpgrade,
    &archive_copied_then_extracted::ArchiveCopiedThenExtracted,
    &base_platform_mismatch::BasePlatformMismatch,
    &cd_in_run::CdInRun,
    &chpasswd_in_run::ChpasswdInRun,
    &consecutive_runs::ConsecutiveRuns,
    &constant_platform::ConstantPlatform,
    &copy_destination_not_directory::CopyDestinationNotDirectory,
    &copy_from_own_stage::CopyFromOwnStage,
    &copy_from_unknown_stage::CopyFromUnknownStage,
    &copy_relative_without_workdir::CopyRelativeWithoutWorkdir,
    &credentials_in_url::CredentialsInUrl,
    &curl_insecure::CurlInsecure,
    &default_shell_relinked::DefaultShellRelinked,
    &dnf_cache_left::DnfCacheLeft,
    &dnf_missing_yes::DnfMissingYes,
    &dnf_update::DnfUpdate,
    &docker_socket_volume::DockerSocketVolume,
    &download_not_verified::DownloadNotVerified,
    &download_piped_to_shell::DownloadPipedToShell,
    &duplicate_stage_name::DuplicateStageName,
    &empty_continuation::EmptyContinuation,
    &env_self_reference::EnvSelfReference,
    &expose_host_mapping::ExposeHostMapping,
    &expose_protocol_casing::ExposeProtocolCasing,
    &forbidden_onbuild_trigger::ForbiddenOnbuildTrigger,
    &from_as_casing::FromAsCasing,
    &frontend_not_pinned::FrontendNotPinned,
    &git_ssl_verify_disabled::GitSslVerifyDisabled,
    &heredoc_without_errexit::HeredocWithoutErrexit,
    &image_not_pinned::ImageNotPinned,
    &instruction_before_from::InstructionBeforeFrom,
    &instruction_casing::InstructionCasing,
    &invalid_default_arg_in_from::InvalidDefaultArgInFrom,
    &label_invalid_key::LabelInvalidKey,
    &large_uid_log::LargeUidLog,
    &latest_tag::LatestTag,
    &legacy_key_value::LegacyKeyValue,
    &maintainer_deprecated::MaintainerDeprecated,
    &microdnf_cache_left::MicrodnfCacheLeft,
    &misplaced_description::MisplacedDescription,
    &missing_healthcheck::MissingHealthcheck,
    &missing_user::MissingUser,
    &multiple_cmd::MultipleCmd,
    &multiple_entrypoint::MultipleEntrypoint,
    &multiple_healthcheck::MultipleHealthcheck,
    &named_user::NamedUser,
    &node_tls_verify_disabled::NodeTlsVerifyDisabled,
    &npm_strict_ssl_disabled::NpmStrictSslDisabled,
    &npm_strict_ssl_env_disabled::NpmStrictSslEnvDisabled,
    &owned_by_runtime_user::OwnedByRuntimeUser,
    &parse_error::ParseError,
    &passwordless_sudo::PasswordlessSudo,
    &pip_cache_left::PipCacheLeft,
    &pip_trusted_host::PipTrustedHost,
    &pip_trusted_host_env::PipTrustedHostEnv,
    &pipe_without_pipefail::PipeWithoutPipefail,
    &plain_http_download::PlainHttpDownload,
    &port_out_of_range::PortOutOfRange,
    &python_https_verify_disabled::PythonHttpsVerifyDisabled,
    &redundant_platform::RedundantPlatform,
    &relative_workdir::RelativeWorkdir,
    &reserved_stage_name::ReservedStageName,
    &root_user::RootUser,
    &rpm_signature_skipped::RpmSignatureSkipped,
    &run_network_host::RunNetworkHost,
    &run_security_insecure::RunSecurityInsecure,
    &secret_in_arg::SecretInArg,
    &secret_in_env::SecretInEnv,
    &secret_in_run::SecretInRun,
    &secret_literal::SecretLiteral,
    &secret_mount_persisted::SecretMountPersisted,
    &setuid_bit_added::SetuidBitAdded,
    &shell_form_cmd::ShellFormCmd,
    &ssh_port_exposed::SshPortExposed,
    &stage_name_casing::StageNameCasing,
    &sudo_in_run::SudoInRun,
    &system_directory_volume::SystemDirectoryVolume,
    &system_directory_workdir::SystemDirectoryWorkdir,
    &undeclared_arg_in_from::UndeclaredArgInFrom,
    &undefined_variable::UndefinedVariable,
    &unpinned_apk::UnpinnedApk,
    &unpinned_apt::UnpinnedApt,
    &unpinned_dnf::UnpinnedDnf,
    &unpinned_gem::UnpinnedGem,
    &unpinned_go::UnpinnedGo,
    &unpinned_npm::UnpinnedNpm,
    &unpinned_pip::UnpinnedPip,
    &unpinned_yum::UnpinnedYum,
    &unpinned_zypper::UnpinnedZypper,
    &untagged_image::UntaggedImage,
    &untrusted_frontend::UntrustedFrontend,
    &update_without_install::UpdateWithoutInstall,
    &useless_command::UselessCommand,
    &wget_and_curl::WgetAndCurl,
    &wget_no_check_certificate::WgetNoCheckCertificate,
    &wget_without_progress::WgetWithoutProgress,
    &whole_filesystem_copied::WholeFilesystemCopied,
    &world_writable_path::WorldWritablePath,
    &yarn_cache_left::YarnCacheLeft,
    &yum_cache_left::YumCacheLeft,
    &yum_missing_yes::YumMissingYes,
    &yum_nogpgcheck::YumNogpgcheck,
    &yum_sslverify_disabled::YumSslverifyDisabled,
    &yum_update::YumUpdate,
    &zypper_cache_left::ZypperCacheLeft,
    &zypper_dist_upgrade::ZypperDistUpgrade,
    &zypper_interactive::ZypperInteractive,
    &zypper_no_gpg_checks::ZypperNoGpgChecks,
    &zypper_update::ZypperUpdate,
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
