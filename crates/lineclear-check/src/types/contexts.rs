//! What each context is at each place.

use lineclear_expr::{Node, Template};
use lineclear_workflow::{Job, JobKind, Key, Place, Step, Text};

use super::infer::Inference;
use super::{Origin, Property, Type, event, fixed, inputs, jobs, matrix, steps};
use crate::{Content, File};

/// Gives the type of each context of a file, and of any expression in it.
///
/// Ask in the order of the file: what belongs to a job is kept until another job is asked about.
#[derive(Debug)]
pub struct Contexts<'f, 'a> {
    file: &'f File<'a>,
    github: Option<Type>,
    inputs: Option<Type>,
    jobs: Option<Type>,
    runner: Option<Type>,
    secrets: Option<Type>,
    vars: Option<Type>,
    env: Option<Type>,
    of_job: OfJob<'a>,
    of_step: OfStep<'a>,
}

/// What belongs to one job.
#[derive(Debug, Default)]
struct OfJob<'a> {
    job: Option<&'a Job>,
    needs: Option<Type>,
    matrix: Option<Type>,
    own: Option<Type>,
}

/// What belongs to one step, or to what comes after the steps of a job.
#[derive(Debug, Default)]
struct OfStep<'a> {
    job: Option<&'a Job>,
    step: Option<&'a Step>,
    steps: Option<Type>,
}

impl<'f, 'a> Contexts<'f, 'a> {
    /// The contexts of `file`.
    pub fn new(file: &'f File<'a>) -> Self {
        Self {
            file,
            github: None,
            inputs: None,
            jobs: None,
            runner: None,
            secrets: None,
            vars: None,
            env: None,
            of_job: OfJob::default(),
            of_step: OfStep::default(),
        }
    }

    /// The context called `name` (in lower case) at a place, whether or not it may be named there.
    pub fn get(&mut self, name: &str, place: &Place<'a>) -> Type {
        match name {
            "github" => self.github(),
            "inputs" => self.inputs(place),
            "steps" => self.steps(place),
            "matrix" => self.matrix(place),
            "needs" => self.needs(place),
            "job" => self.job(place),
            "jobs" => self.jobs(),
            "secrets" => {
                let file = self.file;
                self.secrets.get_or_insert_with(|| secrets(file)).clone()
            }
            "runner" => self.runner.get_or_insert_with(fixed::runner).clone(),
            "strategy" => fixed::strategy(),
            "vars" => self.vars.get_or_insert_with(|| any_text(Origin::Variables)).clone(),
            "env" => self.env.get_or_insert_with(|| any_text(Origin::Env)).clone(),
            _ => Type::Any,
        }
    }

    /// The type of a part of an expression that stands at a place.
    pub fn type_of(&mut self, node: Node<'a>, place: &Place<'a>) -> Type {
        Inference::new(self, *place, None).type_of(node)
    }

    fn github(&mut self) -> Type {
        let file = self.file;
        let build = || {
            let Content::Workflow(workflow) = file.content() else {
                return fixed::github(Type::open(Origin::Event, Vec::new(), Type::Any), true);
            };
            fixed::github(event::event(workflow), event::may_be_pull_request(&workflow.on))
        };
        self.github.get_or_insert_with(build).clone()
    }

    fn inputs(&mut self, place: &Place<'a>) -> Type {
        let file = self.file;
        let build = || match file.content() {
            Content::Workflow(workflow) => inputs::of_workflow(workflow),
            Content::Action(action) => inputs::of_action(action),
            _ => Type::Any,
        };
        let all = self.inputs.get_or_insert_with(build);
        match (place.key, &*all) {
            // The default of an input may name those in front of it.
            (Key::InputDefault(own), Type::Object(object)) if file.workflow().is_some() => {
                let before = object.properties.iter().take_while(|property| !property.name.eq_ignore_ascii_case(own));
                Type::strict(Origin::Inputs, before.cloned().collect())
            }
            (_, all) => all.clone(),
        }
    }

    fn steps(&mut self, place: &Place<'a>) -> Type {
        let of_step = &mut self.of_step;
        if !same(of_step.job, place.job) || !same(of_step.step, place.step) {
            *of_step = OfStep { job: place.job, step: place.step, steps: None };
        }
        of_step.steps.get_or_insert_with(|| steps::steps(self.file, place)).clone()
    }

    fn at_job(&mut self, place: &Place<'a>) -> &mut OfJob<'a> {
        if !same(self.of_job.job, place.job) {
            self.of_job = OfJob { job: place.job, ..OfJob::default() };
        }
        &mut self.of_job
    }

    fn matrix(&mut self, place: &Place<'a>) -> Type {
        let Some(job) = place.job else { return Type::Any };
        if let Some(known) = &self.at_job(place).matrix {
            return known.clone();
        }
        let here = Place { key: Key::Matrix, job: Some(job), step: None };
        let source = self.file.source();
        let mut type_of = |text: &'a Text| match &text.template {
            Template::Expression(expr) => self.type_of(expr.root(), &here),
            Template::Literal(value) => Type::of_value(value),
            Template::Mixed(_) => Type::String,
        };
        let matrix = matrix::matrix(source, job, &mut type_of);
        self.at_job(place).matrix = Some(matrix.clone());
        matrix
    }

    fn needs(&mut self, place: &Place<'a>) -> Type {
        let file = self.file;
        let (Some(workflow), Some(job)) = (file.workflow(), place.job) else { return Type::Any };
        self.at_job(place).needs.get_or_insert_with(|| jobs::needs(file, workflow, job)).clone()
    }

    fn job(&mut self, place: &Place<'a>) -> Type {
        let services = || match place.job.map(|job| &job.kind) {
            Some(JobKind::Steps(steps)) if steps.services_expression.is_none() => {
                let properties =
                    steps.services.iter().map(|service| Property::new(service.id.value.clone(), fixed::service()));
                Type::strict(Origin::Services, properties.collect())
            }
            _ => Type::open(Origin::Services, Vec::new(), fixed::service()),
        };
        self.at_job(place).own.get_or_insert_with(|| fixed::job(services())).clone()
    }

    fn jobs(&mut self) -> Type {
        let file = self.file;
        let build = || file.workflow().map_or(Type::Any, |workflow| jobs::jobs(file, workflow));
        self.jobs.get_or_insert_with(build).clone()
    }
}

/// `secrets`: open, unless a workflow that is only called declares what it takes. A caller may still pass all of its own.
fn secrets(file: &File<'_>) -> Type {
    let only_trigger = match file.workflow().map(|workflow| &workflow.on.events[..]) {
        Some([only]) if only.event.value == "workflow_call" && !only.secrets.is_empty() => only,
        _ => return Type::open(Origin::Secrets, fixed::texts(ALWAYS), Type::String),
    };
    let declared = only_trigger.secrets.iter().map(|secret| Property::new(secret.name.value.clone(), Type::String));
    Type::strict(Origin::Secrets, fixed::texts(ALWAYS).into_iter().chain(declared).collect())
}

/// Texts of any names.
fn any_text(origin: Origin) -> Type {
    Type::open(origin, Vec::new(), Type::String)
}

/// The secrets that are there without being made or passed.
const ALWAYS: &[&str] = &["GITHUB_TOKEN", "ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"];

fn same<T>(one: Option<&T>, other: Option<&T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;
    use lineclear_workflow::Workflow;

    use super::*;
    use crate::{Dialect, Memory, Project};

    /// The type of every expression of a workflow, in order.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let source = Source::new(".github/workflows/w.yml", text);
        let read = Workflow::read(&source);
        let model = read.model.expect("it is YAML");
        let memory = Memory::default();
        let project = Project::new(&memory);
        let file = File::new(&source, Content::Workflow(&model), Dialect::GitHub, &project);
        let mut contexts = Contexts::new(&file);
        let types = file.expressions().iter().map(|site| contexts.type_of(site.expr.root(), &site.place).to_string());
        assert_eq!(types.collect::<Vec<_>>(), expected);
        assert_eq!(file.typed().roots.iter().map(Type::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_step_sees_what_is_before_it() {
        check(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ${{ steps }}\n      - id: one\n        run: a\n      - run: ${{ steps }}\n",
            &["{}", "{ one: { outcome: string, conclusion: string, outputs: object } }"],
        );
    }

    #[test]
    fn outputs_remember_that_they_were_booleans() {
        check(
            "on: push\njobs:\n  a:\n    runs-on: x\n    outputs: { b: \"${{ 1 == 2 }}\", c: \"${{ github.ref }}\" }\n    steps: [{ run: a }]\n  d:\n    needs: a\n    runs-on: x\n    steps:\n      - run: ${{ needs.a.outputs }}\n",
            &["boolean", "string", "{ b: string (`true` or `false`), c: string }"],
        );
    }

    #[test]
    fn a_matrix_has_the_values_of_its_keys_and_rows() {
        check(
            "on: push\njobs:\n  a:\n    runs-on: ${{ matrix }}\n    strategy:\n      matrix:\n        os: [x, y]\n        n: [1, { v: 2 }]\n        include: [{ flag: true }]\n    steps: [{ run: a }]\n",
            &["{ os: string, n: any, flag: boolean }"],
        );
        check(
            "on: push\njobs:\n  a:\n    runs-on: ${{ matrix }}\n    strategy: { matrix: \"${{ fromJSON('{\\\"os\\\":[1]}') }}\" }\n    steps: [{ run: a }]\n",
            &["{ os: array of number }", "{ os: number }"],
        );
    }

    #[test]
    fn a_choice_has_the_type_of_its_values() {
        check(
            "on: { workflow_dispatch: { inputs: { n: { type: number }, b: { type: boolean } } } }\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ${{ inputs.b && 'x' || 'y' }} ${{ inputs.n || 1 }} ${{ inputs.b || 'x' }} ${{ inputs }}\n",
            &["string", "number", "any", "{ n: number, b: boolean }"],
        );
    }
}
