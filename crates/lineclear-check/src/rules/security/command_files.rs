//! What scripts write to the files that the runner reads after a step.

use lineclear_shell::{Command, Connector, Part, RedirectKind, Script, Word};

/// A command whose output gets into one of the files.
#[derive(Debug)]
pub(super) struct Write<'s> {
    pub(super) command: &'s Command,
    /// It, the commands that it reads from, and those inside of their words.
    pub(super) sources: Vec<&'s Command>,
}

/// The commands that write to `file`: by a redirection of their own or of a group around them, or because that is what they do.
pub(super) fn writes<'s>(script: &'s Script, file: &str) -> impl Iterator<Item = Write<'s>> {
    script.commands.iter().enumerate().filter(move |(index, command)| is_write(script, *index, command, file)).map(
        |(index, command)| {
            let mut indices = vec![index];
            let mut next = command.reads_from;
            while let Some(at) = next.filter(|at| !indices.contains(at)) {
                indices.push(at);
                next = script.commands.get(at).and_then(|command| command.reads_from);
            }
            // Commands inside of words come after the one that holds them.
            for (at, inner) in script.commands.iter().enumerate() {
                if inner.inside.is_some_and(|outer| indices.contains(&outer)) && !indices.contains(&at) {
                    indices.push(at);
                }
            }
            Write { command, sources: indices.into_iter().filter_map(|at| script.commands.get(at)).collect() }
        },
    )
}

fn is_write(script: &Script, index: usize, command: &Command, file: &str) -> bool {
    let names = |word: &Word| word.text.contains(file);
    let writers = ["tee", "Out-File", "Add-Content", "Set-Content"];
    if let Some((program, arguments)) = command.program()
        && writers.iter().any(|writer| program.eq_ignore_ascii_case(writer))
        && arguments.iter().any(names)
    {
        return true;
    }
    // What a pipe takes does not reach the group's redirection.
    let own = command.connector == Connector::Pipe;
    let mut redirects = script.redirects_of(index).take(if own { command.redirects.len() } else { usize::MAX });
    redirects
        .any(|redirect| matches!(redirect.kind, RedirectKind::Append | RedirectKind::Write) && names(&redirect.target))
}

impl<'s> Write<'s> {
    /// The variables of which something is written.
    pub(super) fn variables(&self) -> impl Iterator<Item = &'s str> {
        let words = self.sources.iter().flat_map(|command| {
            let bodies = command.redirects.iter().filter(|redirect| is_document(redirect.kind));
            command.words.iter().chain(bodies.map(|redirect| &redirect.target))
        });
        words.flat_map(|word| &word.parts).filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether what a command reads out of a file or a commit is written.
    pub(super) fn reads_file(&self) -> bool {
        let has_document =
            self.sources.iter().flat_map(|command| &command.redirects).any(|redirect| is_document(redirect.kind));
        !has_document && self.sources.iter().any(|command| reads(command))
    }
}

fn reads(command: &Command) -> bool {
    match command.program() {
        Some(("cat" | "jq" | "head" | "tail" | "Get-Content", arguments)) => !arguments.is_empty(),
        Some(("git", arguments)) => arguments.iter().any(|word| matches!(word.text.as_str(), "log" | "show")),
        Some(_) => false,
        // `$(< file)`
        None => {
            command.inside.is_some() && command.redirects.iter().any(|redirect| redirect.kind == RedirectKind::Read)
        }
    }
}

fn is_document(kind: RedirectKind) -> bool {
    matches!(kind, RedirectKind::HereDocument | RedirectKind::HereString)
}

#[cfg(test)]
mod tests {
    use lineclear_shell::Language;

    use super::*;

    fn written(text: &str) -> Vec<String> {
        let script = Script::read(text, Language::Posix);
        writes(&script, "GITHUB_ENV")
            .flat_map(|write| write.variables().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn what_is_written_is_followed_through_pipes_groups_and_documents() {
        assert_eq!(written("echo \"A=$B\" >> \"$GITHUB_ENV\"; echo $C"), ["B"]);
        assert_eq!(written("echo \"A=$B\" | tr a b | tee -a $GITHUB_ENV"), ["GITHUB_ENV", "B"]);
        assert_eq!(written("{\n  echo \"A=$B\"\n  echo c | d $E\n} >> $GITHUB_ENV"), ["B", "E"]);
        assert_eq!(written("cat >> $GITHUB_ENV <<EOF\nA=$B\nEOF"), ["B"]);
        assert_eq!(written("echo \"A=$(cut -c1 <<< $B)\" >> $GITHUB_ENV"), ["B"]);
        assert_eq!(written("# echo $B >> $GITHUB_ENV\necho '>> $GITHUB_ENV' $B"), [""; 0]);
    }
}
