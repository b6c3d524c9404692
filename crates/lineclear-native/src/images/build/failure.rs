//! Why a build failed, in a sentence with the line of the Dockerfile.

use lineclear_dockerfile::{Dockerfile, Stage};
use lineclear_oci::Reference;
use lineclear_source::Span;

use super::builder::last_line;

/// What a builder said, and what it built, become a sentence.
///
/// `name` is what the Dockerfile is called, and `file` what is in it, where it could be read.
pub(crate) fn explain(said: &str, name: &str, file: Option<&Dockerfile>) -> String {
    let problem = problem(said);
    let place = told_place(said, name).or_else(|| {
        let line = line_of(&step(said)?, file?)?;
        Some(format!("{name}:{line}"))
    });
    let place = place.map_or_else(String::new, |place| format!("{place}: "));
    let help = help(said).map_or_else(String::new, |help| format!(". {help}"));
    format!("{place}the build failed: {problem}{help}")
}

/// The builder's own last word.
fn problem(said: &str) -> String {
    let line = said
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| {
            line.starts_with("ERROR:")
                || line.starts_with("Error:")
                || line.starts_with("error building")
                || line.starts_with("The command ")
        })
        .unwrap_or_else(|| last_line(said));
    let line = line.trim_start_matches("ERROR:").trim_start_matches("Error:").trim();
    line.trim_start_matches("failed to solve:").trim().to_owned()
}

/// Newer BuildKits say `Dockerfile:3` above the lines around it.
fn told_place(said: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let at = lines.windows(2).rposition(|two| two[1] == "--------------------" && two[0].contains(':'))?;
    let (_, line) = lines[at].rsplit_once(':')?;
    line.parse::<u32>().ok().map(|line| format!("{name}:{line}"))
}

/// The instruction that failed, as the builder repeats it.
fn step(said: &str) -> Option<String> {
    let marker = |line: &str| -> Option<String> {
        let line = line.trim();
        // BuildKit: ` > [stage-1 2/3] RUN make:`
        if let Some(rest) = line.strip_prefix("> [") {
            // The colon behind it is the builder's.
            let (_, instruction) = rest.split_once("] ")?;
            return Some(instruction.trim_end_matches(':').to_owned());
        }
        None
    };
    if let Some(found) = said.lines().rev().find_map(marker) {
        return Some(found);
    }
    // The classic builder and buildah count: `Step 3/4 : RUN make`, `STEP 3/4: RUN make`.
    said.lines().rev().find_map(|line| {
        let line = line.trim();
        let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
        rest.split_once(':').map(|(_, instruction)| instruction.trim().to_owned())
    })
}

/// The line on which the instruction begins; only if there is one like it.
fn line_of(step: &str, file: &Dockerfile) -> Option<u32> {
    let spans = || {
        file.stages.iter().flat_map(|stage| {
            let froms = std::iter::once(stage.from.span);
            froms.chain(stage.instructions.iter().map(|instruction| instruction.span))
        })
    };
    let text = |span: Span| {
        let text = file.source.text().get(span.start as usize..span.end as usize).unwrap_or_default();
        normalised(&text.replace(&format!("{}\n", file.escape), " "))
    };
    if let Some(image) = step.strip_prefix("load metadata for ") {
        let wanted = Reference::parse(image.trim()).ok()?.or_latest();
        let is_it = |stage: &&Stage| {
            let image = stage.from.expanded.as_deref().and_then(|image| Reference::parse(image).ok());
            image.is_some_and(|image| image.or_latest() == wanted)
        };
        return file.stages.iter().find(is_it).map(|stage| file.source.position(stage.from.span.start).line);
    }
    let wanted = normalised(step);
    // Variables are put in by the builder: then the beginning has to do.
    let fits = |text: &str| {
        let fixed = text.split('$').next().unwrap_or_default();
        text == wanted || (fixed.len() < text.len() && fixed.len() > 5 && wanted.starts_with(fixed))
    };
    let found: Vec<Span> = spans().filter(|span| fits(&text(*span))).collect();
    match found.as_slice() {
        [span] => Some(file.source.position(span.start).line),
        _ => None,
    }
}

fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What can be done about failures whose cause is known.
fn help(said: &str) -> Option<&'static str> {
    if said.contains("exec format error") {
        return Some(
            "A program of another processor was started: install the package `qemu-user-static`, and run docker/setup-qemu-action before",
        );
    }
    if said.contains("error reading from server: EOF") || said.contains("Cannot connect to the Docker daemon") {
        return Some(
            "The builder went away in the middle of the build: look whether the engine still runs (`docker info`), and run the job again",
        );
    }
    if said.contains("no space left on device") {
        return Some("The disk is full: `docker system df` says what fills it");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineclear_source::Source;

    const FILE: &str = "FROM a AS build\nRUN make \\\n  all\nFROM b\nARG V\nRUN echo $V && false\nCOPY x /x\n";

    fn explained(said: &str) -> String {
        let (file, _) = Dockerfile::read(&Source::new("Dockerfile", FILE));
        explain(said, "docker/Dockerfile", Some(&file))
    }

    #[test]
    fn the_line_is_found_by_what_the_builder_says() {
        let old = "#5 ERROR: x\n------\n > [build 2/2] RUN make   all:\n#5 0.1 no\n------\nERROR: failed to solve: executor failed running [/bin/sh -c make all]: exit code: 2\n";
        assert_eq!(
            explained(old),
            "docker/Dockerfile:2: the build failed: executor failed running [/bin/sh -c make all]: exit code: 2"
        );
        let missing = "------\n > [internal] load metadata for docker.io/library/b:latest:\n------\nERROR: failed to solve: b: not found\n";
        assert_eq!(explained(missing), "docker/Dockerfile:4: the build failed: b: not found");
        let new = "------\n > [2/2] RUN x:\n------\nDockerfile:6\n--------------------\n   6 | >>> RUN\n--------------------\nERROR: failed to solve: process \"/bin/sh -c x\" did not complete successfully: exit code: 7\n";
        assert!(explained(new).starts_with("docker/Dockerfile:6: the build failed: process"), "{}", explained(new));
        let classic = "Step 4/5 : RUN echo $V && false\n ---> Running in 1\nThe command '/bin/sh -c echo $V && false' returned a non-zero code: 1\n";
        assert_eq!(
            explained(classic),
            "docker/Dockerfile:6: the build failed: The command '/bin/sh -c echo $V && false' returned a non-zero code: 1"
        );
        let buildah = "STEP 3/4: COPY x /x\nError: building at STEP \"COPY x /x\": no such file\n";
        assert_eq!(
            explained(buildah),
            "docker/Dockerfile:7: the build failed: building at STEP \"COPY x /x\": no such file"
        );
    }

    #[test]
    fn known_causes_come_with_help() {
        assert!(explained("exec /bin/sh: exec format error\nERROR: exit code: 1").contains("qemu-user-static"));
        let gone = explained("ERROR: failed to solve: Unavailable: error reading from server: EOF");
        assert!(gone.contains("the engine still runs"), "{gone}");
        assert_eq!(explained("ERROR: something else"), "the build failed: something else");
    }
}
