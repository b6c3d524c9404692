//! Other programs that know one language better: `shellcheck`, `python3`.
