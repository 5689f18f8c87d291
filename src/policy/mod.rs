//! Facts to verdict. Pure: facts, policy and a clock in, decisions out; `load` reads files.
