//! Known kinds of failure, and what to do about them.

/// One kind of failure: how it shows, and what to do.
struct Kind {
    /// An exit code that is a sign by itself.
    exit_code: Option<i32>,
    /// Texts of which one stands in the last lines.
    signs: &'static [&'static str],
    advice: &'static str,
}

/// The first that fits is shown, so the more telling ones come first.
const KINDS: &[Kind] = &[
    Kind {
        exit_code: None,
        signs: &["No space left on device", "ENOSPC"],
        advice: "the disk is full: `lineclear prune` removes old runs and caches",
    },
    Kind {
        exit_code: None,
        signs: &[
            "pip's dependency resolver",
            "No matching distribution found",
            "Could not find a version that satisfies",
        ],
        advice: "pip found no fitting package: check its name, its version and the Python version, and that the index is reachable",
    },
    Kind {
        exit_code: None,
        signs: &["ModuleNotFoundError: No module named", "ImportError: cannot import name"],
        advice: "a Python module is missing: is it in the requirements, and did the install step run with the same interpreter?",
    },
    Kind {
        exit_code: None,
        signs: &["can only install packages when your package.json and package-lock.json", "npm ci` can only install"],
        advice: "package.json and package-lock.json disagree: run `npm install` and commit the lock file",
    },
    Kind {
        exit_code: None,
        signs: &["Cannot find module", "ERR_MODULE_NOT_FOUND"],
        advice: "a Node module is missing: did `npm ci` run in the right folder before this step?",
    },
    Kind {
        exit_code: None,
        signs: &["Executable doesn't exist at", "playwright install"],
        advice: "Playwright's browser is not installed: run `npx playwright install`, or name an installed one by `executablePath`",
    },
    Kind {
        exit_code: None,
        signs: &["changes not yet reflected in a migration", "Your models in app(s)", "makemigrations --check"],
        advice: "the models and the migrations differ: run `makemigrations` and commit the result",
    },
    Kind {
        exit_code: None,
        signs: &["Required test coverage of", "Coverage failure: total of"],
        advice: "the tests cover less than the threshold asks for: the report above names the files that lack tests",
    },
    Kind {
        exit_code: None,
        signs: &["address already in use", "EADDRINUSE"],
        advice: "the port is in use: stop what holds it, or let the service choose a free port",
    },
    Kind {
        exit_code: None,
        signs: &["Connection refused", "ECONNREFUSED"],
        advice: "nothing answers at that address: was the service started, and was its readiness awaited?",
    },
    Kind {
        exit_code: None,
        signs: &["Could not resolve host", "Temporary failure in name resolution", "EAI_AGAIN", "ENOTFOUND"],
        advice: "a host name could not be resolved: is this machine connected?",
    },
    Kind {
        exit_code: None,
        signs: &["certificate verify failed", "CERTIFICATE_VERIFY_FAILED", "self-signed certificate"],
        advice: "a TLS certificate is not trusted here: if your network has its own authority, point SSL_CERT_FILE, PIP_CERT and \
                 NODE_EXTRA_CA_CERTS at its bundle",
    },
    Kind {
        exit_code: None,
        signs: &["not a git repository"],
        advice: "there is no checkout in this folder: is there an `actions/checkout` step before this one?",
    },
    Kind {
        exit_code: Some(127),
        signs: &["command not found"],
        advice: "a program is not installed, or not on the PATH of this job: add a set-up step for it",
    },
    Kind {
        exit_code: Some(126),
        signs: &["Permission denied"],
        advice: "the file may not be executed: `git update-index --chmod=+x FILE` and commit, or call it through its interpreter",
    },
    Kind {
        exit_code: Some(137),
        signs: &[],
        advice: "the process was killed (SIGKILL): most often the machine ran out of memory",
    },
    Kind {
        exit_code: Some(139),
        signs: &["Segmentation fault"],
        advice: "the program crashed with a segmentation fault",
    },
    Kind {
        exit_code: Some(143),
        signs: &[],
        advice: "the process was terminated (SIGTERM) by something other than its own step",
    },
];

/// What to do about a step that failed so; `None` for a failure of no known kind.
pub(crate) fn hint<'a>(exit_code: Option<i32>, tail: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let shows = |sign: &&str| tail.clone().any(|line| line.contains(*sign));
    KINDS
        .iter()
        .find(|kind| kind.signs.iter().any(&shows) || kind.exit_code.is_some() && kind.exit_code == exit_code)
        .map(|kind| kind.advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telling_line_beats_the_exit_code() {
        let lines = ["sh: 1: pytset: command not found"];
        assert!(hint(Some(127), lines.into_iter()).is_some_and(|advice| advice.contains("not installed")));
        let lines = ["ModuleNotFoundError: No module named 'requests'"];
        assert!(hint(Some(127), lines.into_iter()).is_some_and(|advice| advice.contains("Python module")));
        assert_eq!(hint(Some(1), ["assertion failed"].into_iter()), None);
        assert_eq!(hint(None, std::iter::empty()), None);
    }
}
