//! `ShellScript` and `ShellRemark`: shell code of a Dockerfile, and what a program outside says of it.

/// The shell code of one instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellScript {
    /// The first line of the instruction.
    pub line: u32,
    /// The shell that reads it: `sh`, `dash`, `bash` or `ksh`.
    pub dialect: &'static str,
    /// The code, continued lines joined.
    pub text: String,
}

/// One remark about a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellRemark {
    /// The line in the script, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The number of its code: 2086 for SC2086.
    pub code: u32,
    /// What it says.
    pub message: String,
}

/// What was said of the scripts of one Dockerfile, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellRemarks {
    /// The name of the program that said it.
    pub program: String,
    /// Per script its remarks, or why there are none.
    pub scripts: Vec<Result<Vec<ShellRemark>, String>>,
}
