//! The arguments of each instruction.

use lineclear_source::suggest;

use super::{Place, Reader, argument, flags, words};
use crate::{
    Argument, CommandLine, Flag, Healthcheck, InstructionKind, Pair, Run, Text, Transfer, Word, exec_form, expand,
    looks_like_exec_form,
};

impl Reader<'_> {
    pub(super) fn arguments(&mut self, name: &str, keyword: &Word, flags: &[Flag], text: &Text) -> InstructionKind {
        if text.is_empty() && name != "FROM" {
            self.findings.error(keyword.span(), format!("`{name}` needs {}", needs(name)));
            return InstructionKind::Unreadable;
        }
        if is_expanded(name) {
            self.check_variables(text);
        }
        match name {
            "RUN" => self.run(flags, text),
            "CMD" => InstructionKind::Cmd(self.command_line(name, text)),
            "ENTRYPOINT" => InstructionKind::Entrypoint(self.command_line(name, text)),
            "LABEL" => self.pairs(name, text).map_or(InstructionKind::Unreadable, InstructionKind::Label),
            "ENV" => self.pairs(name, text).map_or(InstructionKind::Unreadable, InstructionKind::Env),
            "ARG" => self.build_arguments(text),
            "EXPOSE" => self.expose(text),
            "ADD" => self.transfer(name, flags, text).map_or(InstructionKind::Unreadable, InstructionKind::Add),
            "COPY" => self.transfer(name, flags, text).map_or(InstructionKind::Unreadable, InstructionKind::Copy),
            "VOLUME" => InstructionKind::Volume(self.list_or_words(text)),
            "USER" => InstructionKind::User(Word { text: text.clone() }),
            "WORKDIR" => InstructionKind::Workdir(Word { text: text.clone() }),
            "STOPSIGNAL" => InstructionKind::StopSignal(Word { text: text.clone() }),
            "MAINTAINER" => InstructionKind::Maintainer(Word { text: text.clone() }),
            "HEALTHCHECK" => self.healthcheck(flags, text),
            "SHELL" => self.shell(text),
            "ONBUILD" => match self.read_instruction(text, Place::OnBuild) {
                Some(instruction) => InstructionKind::OnBuild(Box::new(instruction)),
                None => InstructionKind::Unreadable,
            },
            // Its stage keeps what it says.
            _ => InstructionKind::Unreadable,
        }
    }

    /// What is wrong with the variables of a text that the builder expands.
    fn check_variables(&mut self, text: &Text) {
        if !text.as_str().contains('$') {
            return;
        }
        if let Err(fault) = expand::variables(text.as_str(), self.lines.escape) {
            self.findings.error(text.span_of(fault.at), fault.message);
        }
    }

    fn run(&mut self, flags: &[Flag], text: &Text) -> InstructionKind {
        let command = self.command_line("RUN", text);
        let here_documents = if command.exec.is_some() { Vec::new() } else { self.here_documents(text) };
        InstructionKind::Run(Run { command, here_documents, mounts: flags::mounts(flags, &mut self.findings) })
    }

    /// Exec form if it is one, else text for the shell.
    fn command_line(&mut self, name: &str, text: &Text) -> CommandLine {
        if !text.as_str().starts_with('[') {
            return CommandLine { text: text.clone(), exec: None, fault: None };
        }
        match exec_form::read(text.as_str()) {
            Ok(exec) => CommandLine { text: text.clone(), exec: Some(exec), fault: None },
            Err(fault) if looks_like_exec_form(text.as_str()) || fault.is_refused && text.as_str().ends_with(']') => {
                let span = text.span_of(fault.at.clone());
                // `[ 1 -eq 1 ]` is a test of the shell; only JSON of other types is refused.
                if looks_like_exec_form(text.as_str()) {
                    self.findings
                        .error(
                            span,
                            format!(
                                "this is not a JSON array, so a shell gets all of it as a command: {}",
                                fault.message
                            ),
                        )
                        .help(format!("write `{name} [\"program\", \"argument\"]`"));
                }
                CommandLine { text: text.clone(), exec: None, fault: Some(fault) }
            }
            Err(_) => CommandLine { text: text.clone(), exec: None, fault: None },
        }
    }

    fn pairs(&mut self, name: &str, text: &Text) -> Option<Vec<Pair>> {
        let words = words::quoted(text, self.lines.escape);
        let first = words.first()?;
        if !first.raw().contains('=') {
            return self.old_pair(name, first, text);
        }
        let mut pairs = Vec::new();
        for word in &words {
            let Argument { name: key, default: Some(value) } = argument(word) else {
                self.findings
                    .error(word.span(), format!("`{}` has no `=`: each word of `{name}` is `name=value`", word.raw()))
                    .help("a value with spaces is written in quotes");
                continue;
            };
            if key.raw().is_empty() {
                self.findings.error(word.span(), "a name is missing before the `=`");
                continue;
            }
            pairs.push(Pair { name: key, value });
        }
        Some(pairs)
    }

    /// `ENV name the whole rest`.
    fn old_pair(&mut self, name: &str, key: &Word, text: &Text) -> Option<Vec<Pair>> {
        let value = text.slice(key.raw().len()..text.as_str().len()).trimmed();
        if value.is_empty() {
            self.findings
                .error(key.span(), format!("`{}` has no value", key.raw()))
                .help(format!("write `{name} {}=value`", key.raw()));
            return None;
        }
        Some(vec![Pair { name: key.clone(), value: Word { text: value } }])
    }

    fn build_arguments(&mut self, text: &Text) -> InstructionKind {
        let arguments: Vec<Argument> = words::quoted(text, self.lines.escape).iter().map(argument).collect();
        for name in arguments.iter().map(|argument| &argument.name) {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.raw().is_empty() || !name.raw().bytes().all(is_name) {
                self.findings.warning(
                    name.span(),
                    format!("`{}` cannot be named by `$`: letters, digits and `_` can", name.raw()),
                );
            }
        }
        InstructionKind::Arg(arguments)
    }

    fn expose(&mut self, text: &Text) -> InstructionKind {
        let ports = words::plain(text);
        for port in &ports {
            if port.raw().contains(['$', '"', '\'']) {
                continue;
            }
            let (range, protocol) = port.raw().split_once('/').unwrap_or((port.raw(), "tcp"));
            let is_port = |text: &str| text.parse::<u16>().is_ok();
            let is_range = match range.split_once('-') {
                Some((from, to)) => is_port(from) && is_port(to),
                None => is_port(range),
            };
            let is_protocol = ["tcp", "udp", "sctp"].iter().any(|known| known.eq_ignore_ascii_case(protocol));
            if !is_range || !is_protocol {
                self.findings
                    .error(port.span(), format!("`{}` is no port", port.raw()))
                    .help("write `8080`, `8080/udp` or `8000-8010`");
            }
        }
        InstructionKind::Expose(ports)
    }

    fn transfer(&mut self, name: &str, flags: &[Flag], text: &Text) -> Option<Transfer> {
        let mut words = self.list_or_words(text);
        let here_documents = if text.as_str().starts_with('[') { Vec::new() } else { self.here_documents(text) };
        let destination = words.pop()?;
        if words.is_empty() {
            self.findings
                .error(text.span(), format!("`{name}` needs at least one source and a destination"))
                .help(format!("write `{name} {} ./`", text.as_str()));
            return None;
        }
        let from = flags.iter().find(|flag| flag.name.raw() == "from").and_then(|flag| flag.value.clone());
        Some(Transfer { sources: words, destination, from, here_documents })
    }

    /// The items of a JSON array, or words.
    fn list_or_words(&mut self, text: &Text) -> Vec<Word> {
        if text.as_str().starts_with('[') {
            match exec_form::read(text.as_str()) {
                Ok(exec) => {
                    // Without the quotes; what an escape became is not looked for.
                    let word =
                        |range: &std::ops::Range<usize>| Word { text: text.slice(range.start + 1..range.end - 1) };
                    return exec.arguments.iter().map(|(_, range)| word(range)).collect();
                }
                Err(fault) if looks_like_exec_form(text.as_str()) => {
                    self.findings
                        .error(text.span_of(fault.at), format!("this is not a JSON array: {}", fault.message))
                        .help("write `[\"one\", \"other\"]`");
                }
                Err(_) => {}
            }
        }
        words::plain(text)
    }

    fn healthcheck(&mut self, flags: &[Flag], text: &Text) -> InstructionKind {
        for flag in flags {
            self.check_duration(flag);
        }
        let whole = text.as_str();
        let end = whole.find(char::is_whitespace).unwrap_or(whole.len());
        let kind = whole.get(..end).unwrap_or_default();
        let rest = text.slice(end..whole.len()).trimmed();
        if kind.eq_ignore_ascii_case("NONE") {
            if !rest.is_empty() {
                self.findings.error(rest.span(), "nothing can stand behind `HEALTHCHECK NONE`");
            }
            return InstructionKind::Healthcheck(Healthcheck::Off);
        }
        if !kind.eq_ignore_ascii_case("CMD") {
            let near =
                suggest(kind, ["CMD", "NONE"]).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.findings
                .error(text.span_of(0..end), format!("behind `HEALTHCHECK` comes `CMD` or `NONE`, not `{kind}`{near}"))
                .help("write `HEALTHCHECK CMD command`");
            return InstructionKind::Unreadable;
        }
        if rest.is_empty() {
            self.findings.error(text.span(), "`HEALTHCHECK CMD` needs a command");
            return InstructionKind::Unreadable;
        }
        InstructionKind::Healthcheck(Healthcheck::Command(self.command_line("HEALTHCHECK CMD", &rest)))
    }

    fn check_duration(&mut self, flag: &Flag) {
        let Some(value) = flag.value.as_ref().filter(|value| !value.raw().is_empty() && !value.has_variable()) else {
            return;
        };
        let raw = value.raw().trim_matches(['"', '\'']);
        let message = match flag.name.raw() {
            "retries" if raw.parse::<u32>().is_err() => format!("`{raw}` is no number of tries"),
            "interval" | "timeout" | "start-period" | "start-interval" if !is_duration(raw) => {
                format!("`{raw}` is no duration: write it with its unit, `30s` or `1m30s`")
            }
            _ => return,
        };
        self.findings.error(value.span(), message);
    }

    fn shell(&mut self, text: &Text) -> InstructionKind {
        match exec_form::read(text.as_str()) {
            Ok(exec) if !exec.arguments.is_empty() => InstructionKind::Shell(exec),
            Ok(_) => {
                self.findings.error(text.span(), "`SHELL` needs a program");
                InstructionKind::Unreadable
            }
            Err(fault) => {
                self.findings
                    .error(text.span_of(fault.at), format!("`SHELL` needs a JSON array: {}", fault.message))
                    .help("write `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]`");
                InstructionKind::Unreadable
            }
        }
    }
}

/// Whether the builder puts variables into the arguments.
fn is_expanded(name: &str) -> bool {
    matches!(
        name,
        "ADD" | "COPY" | "ENV" | "EXPOSE" | "FROM" | "LABEL" | "STOPSIGNAL" | "USER" | "VOLUME" | "WORKDIR" | "ARG"
    )
}

fn needs(name: &str) -> &'static str {
    match name {
        "RUN" | "CMD" | "ENTRYPOINT" => "a command",
        "LABEL" | "ENV" => "`name=value`",
        "ARG" => "a name",
        "EXPOSE" => "a port",
        "ADD" | "COPY" => "a source and a destination",
        "VOLUME" | "WORKDIR" => "a path",
        "USER" => "a user",
        "ONBUILD" => "an instruction",
        "STOPSIGNAL" => "a signal",
        "HEALTHCHECK" => "`CMD` and a command, or `NONE`",
        "SHELL" => "a JSON array",
        _ => "a value",
    }
}

/// `1h30m`, `1.5s`, `500ms`, `0`.
fn is_duration(text: &str) -> bool {
    if text == "0" {
        return true;
    }
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let unit = ["ns", "us", "µs", "ms", "s", "m", "h"]
            .iter()
            .filter(|unit| after.starts_with(**unit))
            .max_by_key(|unit| unit.len());
        match unit.filter(|_| number.parse::<f64>().is_ok()) {
            Some(unit) => rest = after.get(unit.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}
