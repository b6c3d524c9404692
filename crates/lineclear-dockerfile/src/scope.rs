//! What `ARG` and `ENV` have set at a place.

use std::collections::BTreeMap;

use crate::{Argument, Base, Dockerfile, Instruction, InstructionKind, Stage, Word};

/// Arguments that every build knows without `ARG`.
const KNOWN_IN_FROM: [&str; 8] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
];

/// No image's name is longer; a default that comes to more is none.
const LONGEST_IMAGE: usize = 4096;

/// The values of arguments and environment variables at one place of a Dockerfile.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    escape: char,
    arguments: BTreeMap<String, Option<String>>,
    environment: BTreeMap<String, String>,
}

impl Scope {
    /// What holds before the first `FROM` and in every `FROM`: the global arguments. `given` are the build's own arguments
    /// (`--build-arg`), which go before defaults.
    pub fn global(file: &Dockerfile, given: &BTreeMap<String, String>) -> Self {
        let mut scope = Self { escape: file.escape, ..Self::default() };
        for name in KNOWN_IN_FROM {
            scope.arguments.insert(name.to_owned(), given.get(name).cloned());
        }
        for argument in &file.arguments {
            scope.declare(argument, given, None);
        }
        scope
    }

    /// What holds in `stage` before its instruction `before` (its number of instructions: at its end). A stage inherits from the stage
    /// it builds upon; of the global arguments it has those that it declares.
    pub fn at(file: &Dockerfile, stage: &Stage, before: usize, given: &BTreeMap<String, String>) -> Self {
        let global = Self::global(file, given);
        let mut scope = Self { escape: file.escape, ..Self::default() };
        let mut lineage: Vec<&Stage> = file.lineage(stage).collect();
        lineage.reverse();
        for ancestor in lineage {
            let until = if ancestor.index == stage.index { before } else { ancestor.instructions.len() };
            for instruction in ancestor.instructions.iter().take(until) {
                scope.apply(instruction, given, &global);
            }
        }
        scope
    }

    fn apply(&mut self, instruction: &Instruction, given: &BTreeMap<String, String>, global: &Self) {
        match &instruction.kind {
            InstructionKind::Arg(arguments) => {
                arguments.iter().for_each(|argument| self.declare(argument, given, Some(global)));
            }
            InstructionKind::Env(pairs) => {
                // The names of one instruction do not see each other.
                let values: Vec<_> =
                    pairs.iter().map(|pair| (pair.name.raw().to_owned(), self.expand(&pair.value))).collect();
                for (name, value) in values {
                    self.environment.insert(name, value.unwrap_or_default());
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, argument: &Argument, given: &BTreeMap<String, String>, global: Option<&Self>) {
        let name = argument.name.raw();
        let default = || argument.default.as_ref().and_then(|default| self.expand(default));
        let value = given.get(name).cloned().or_else(default);
        let value = value.or_else(|| global.and_then(|global| global.get(name)).map(str::to_owned));
        self.arguments.insert(name.to_owned(), value);
    }

    /// The value of a name: the environment goes before arguments.
    pub fn get(&self, name: &str) -> Option<&str> {
        let argument = || self.arguments.get(name).and_then(Option::as_deref);
        self.environment.get(name).map(String::as_str).or_else(argument)
    }

    /// Whether a name is declared, with or without a value.
    pub fn knows(&self, name: &str) -> bool {
        self.environment.contains_key(name) || self.arguments.contains_key(name)
    }

    /// The names that are declared.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.environment.keys().chain(self.arguments.keys()).map(String::as_str)
    }

    /// The word with all values put in; `None` where it cannot be expanded.
    pub fn expand(&self, word: &Word) -> Option<String> {
        word.expand(self.escape, |name| self.get(name).map(str::to_owned)).ok()
    }

    /// As [`Scope::expand`], and `None` where a variable without a default has no value.
    pub fn expand_known(&self, word: &Word) -> Option<String> {
        let mut is_known = true;
        let variables = word.variables(self.escape);
        let has_operator =
            |name: &str| variables.iter().any(|variable| variable.name == name && variable.operator.is_some());
        let expanded = word.expand(self.escape, |name| {
            let value = self.get(name);
            is_known &= value.is_some() || has_operator(name);
            value.map(str::to_owned)
        });
        expanded.ok().filter(|_| is_known)
    }
}

/// What a stage builds upon, and its image with defaults put in. `global` is what holds before the first `FROM`.
pub(crate) fn base_of(
    file: &Dockerfile,
    image: &Word,
    global: impl FnOnce(&Word) -> Option<String>,
) -> (Base, Option<String>) {
    let expanded = if image.has_variable() {
        global(image).filter(|image| !image.is_empty() && image.len() <= LONGEST_IMAGE)
    } else {
        Some(image.raw().to_owned())
    };
    (expanded.as_deref().map_or(Base::Image, |name| base(file, name)), expanded)
}

fn base(file: &Dockerfile, name: &str) -> Base {
    let named = |stage: &&Stage| stage.name().is_some_and(|other| other.eq_ignore_ascii_case(name));
    match file.stages.iter().rev().find(named) {
        Some(stage) => Base::Stage(stage.index),
        None if name == "scratch" => Base::Scratch,
        None => Base::Image,
    }
}
