//! Which programs take a credential on their command line, and how: `-p` is a port or a path for most. Sources: the programs' manual pages.

use How::{Attached, Last, Pair, Percent, Prefixed, Value};

/// How a program takes a credential.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    /// `-p x`, `-px`, `--password x`, `--password=x`.
    Value(&'static str),
    /// `-px` alone; `-p` by itself asks.
    Attached(&'static str),
    /// `-u user:x`.
    Pair(&'static str),
    /// `-U user%x`.
    Percent(&'static str),
    /// `-pass pass:x`.
    Prefixed(&'static str),
    /// The last operand.
    Last,
}

/// A program, the words behind it that must be there in this order, and how it takes a credential.
pub(super) struct Row {
    /// Their base names.
    pub(super) programs: &'static [&'static str],
    /// Operands that must be there in this order.
    pub(super) verbs: &'static [&'static str],
    /// The ways.
    pub(super) how: &'static [How],
}

/// The programs.
pub(super) const ROWS: &[Row] = &[
    Row {
        programs: &["docker", "podman", "nerdctl", "buildah", "skopeo", "crane", "helm", "oras", "regctl", "img"],
        verbs: &["login"],
        how: &[Value("-p"), Value("--password")],
    },
    Row { programs: &["skopeo", "podman", "buildah"], verbs: &[], how: &[Pair("--creds"), Pair("--src-creds"), Pair("--dest-creds")] },
    Row { programs: &["helm"], verbs: &["repo", "add"], how: &[Value("--password")] },
    Row {
        programs: &[
            "mysql",
            "mysqladmin",
            "mysqldump",
            "mysqlimport",
            "mysqlcheck",
            "mariadb",
            "mariadb-admin",
            "mariadb-dump",
            "mariadb-import",
        ],
        verbs: &[],
        how: &[Attached("-p"), Attached("--password=")],
    },
    Row { programs: &["redis-cli", "valkey-cli", "keydb-cli"], verbs: &[], how: &[Value("-a"), Value("--pass")] },
    Row { programs: &["redis-server", "valkey-server"], verbs: &[], how: &[Value("--requirepass"), Value("--masterauth")] },
    Row {
        programs: &["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport"],
        verbs: &[],
        how: &[Value("-p"), Value("--password")],
    },
    Row { programs: &["sqlcmd", "bcp", "/opt/mssql-tools/bin/sqlcmd"], verbs: &[], how: &[Value("-P")] },
    Row { programs: &["clickhouse-client", "influx", "cqlsh"], verbs: &[], how: &[Value("--password"), Value("-p")] },
    Row {
        programs: &["curl"],
        verbs: &[],
        how: &[
            Pair("-u"),
            Pair("--user"),
            Pair("-U"),
            Pair("--proxy-user"),
            Value("--oauth2-bearer"),
            Value("--pass"),
            Value("--proxy-pass"),
        ],
    },
    Row {
        programs: &["wget"],
        verbs: &[],
        how: &[Value("--password"), Value("--http-password"), Value("--ftp-password"), Value("--proxy-password")],
    },
    Row { programs: &["http", "https", "xh"], verbs: &[], how: &[Pair("-a"), Pair("--auth")] },
    Row { programs: &["lftp"], verbs: &[], how: &[Value("--password")] },
    Row { programs: &["sshpass"], verbs: &[], how: &[Value("-p")] },
    Row { programs: &["smbclient", "rpcclient", "net"], verbs: &[], how: &[Percent("-U"), Percent("--user")] },
    Row { programs: &["ldapsearch", "ldapadd", "ldapmodify", "ldappasswd", "ldapdelete"], verbs: &[], how: &[Value("-w")] },
    Row { programs: &["aws"], verbs: &["configure", "set", "aws_secret_access_key"], how: &[Last] },
    Row { programs: &["aws"], verbs: &["configure", "set", "aws_session_token"], how: &[Last] },
    Row { programs: &["az"], verbs: &["login"], how: &[Value("-p"), Value("--password")] },
    Row {
        programs: &["oc", "rosa", "ibmcloud", "cf"],
        verbs: &["login"],
        how: &[Value("-p"), Value("--password"), Value("--token"), Value("--apikey")],
    },
    Row { programs: &["heroku", "vercel", "netlify", "snyk", "infracost"], verbs: &["auth"], how: &[Value("--token")] },
    Row { programs: &["snyk"], verbs: &["auth"], how: &[Last] },
    Row { programs: &["ngrok"], verbs: &["authtoken"], how: &[Last] },
    Row { programs: &["ngrok"], verbs: &["add-authtoken"], how: &[Last] },
    Row { programs: &["wandb"], verbs: &["login"], how: &[Last] },
    Row { programs: &["vault", "cargo"], verbs: &["login"], how: &[Last] },
    Row { programs: &["tailscale"], verbs: &["up"], how: &[Value("--authkey"), Value("--auth-key")] },
    Row { programs: &["twine"], verbs: &["upload"], how: &[Value("-p"), Value("--password")] },
    Row { programs: &["poetry"], verbs: &["publish"], how: &[Value("-p"), Value("--password")] },
    Row { programs: &["dotnet", "nuget"], verbs: &["push"], how: &[Value("-k"), Value("--api-key"), Value("-ApiKey")] },
    Row { programs: &["dotnet", "nuget"], verbs: &["source"], how: &[Value("-p"), Value("--password"), Value("-Password")] },
    Row { programs: &["dotnet", "nuget"], verbs: &["sources"], how: &[Value("-Password")] },
    Row { programs: &["nuget"], verbs: &["setApiKey"], how: &[Last] },
    Row { programs: &["conan"], verbs: &["user"], how: &[Value("-p"), Value("--password")] },
    Row { programs: &["conan"], verbs: &["login"], how: &[Value("-p"), Value("--password")] },
    Row {
        programs: &["keytool", "jarsigner"],
        verbs: &[],
        how: &[
            Value("-storepass"),
            Value("-keypass"),
            Value("-srcstorepass"),
            Value("-deststorepass"),
            Value("-srckeypass"),
            Value("-destkeypass"),
        ],
    },
    Row { programs: &["openssl"], verbs: &[], how: &[Prefixed("-passin"), Prefixed("-passout"), Prefixed("-pass"), Prefixed("-password")] },
    Row { programs: &["openssl"], verbs: &["enc"], how: &[Value("-k")] },
    Row { programs: &["ssh-keygen"], verbs: &[], how: &[Value("-N"), Value("-P")] },
    Row { programs: &["gpg", "gpg2"], verbs: &[], how: &[Value("--passphrase")] },
    Row { programs: &["zip", "7z", "7za"], verbs: &[], how: &[Value("--password")] },
    Row { programs: &["unrar", "rar"], verbs: &[], how: &[Attached("-hp")] },
    Row { programs: &["rabbitmqctl"], verbs: &["add_user"], how: &[Last] },
    Row { programs: &["rabbitmqctl"], verbs: &["change_password"], how: &[Last] },
    Row { programs: &["subscription-manager"], verbs: &["register"], how: &[Value("--password")] },
    Row { programs: &["mc"], verbs: &["alias", "set"], how: &[Last] },
    Row { programs: &["mc"], verbs: &["config", "host", "add"], how: &[Last] },
    Row { programs: &["kubectl"], verbs: &["set-credentials"], how: &[Value("--token"), Value("--password")] },
];
