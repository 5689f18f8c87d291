//! Shell code in every place where an instruction may hold some; the first byte chooses the place.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, code)) = data.split_first() else { return };
    let code = String::from_utf8_lossy(code);
    let quoted = || format!("{code:?}");
    let text = match choice % 6 {
        0 => format!("FROM alpine:3.22\nARG A=b\nENV C=\"d e\"\nRUN <<PLIMSOLL\n{code}\nPLIMSOLL\n"),
        1 => format!("FROM alpine:3.22\nRUN {}\n", code.replace('\n', " \\\n")),
        2 => format!("FROM alpine:3.22\nRUN [\"sh\", \"-c\", {}]\n", quoted()),
        3 => format!("FROM alpine:3.22\nCOPY <<'PLIMSOLL' /x.sh\n{code}\nPLIMSOLL\nRUN sh /x.sh\n"),
        4 => format!("FROM alpine:3.22\nSHELL [\"/bin/bash\", \"-c\"]\nRUN sh -c {} | sh\n", quoted()),
        _ => format!("FROM alpine:3.22\nHEALTHCHECK CMD {}\nCMD {}\n", code.replace('\n', ";"), code.replace('\n', "&&")),
    };
    plimsoll_fuzz::lint(text.as_bytes());
});
