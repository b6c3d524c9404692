//! `lineclear why`: for everything that did not simply succeed, the reason, with the value that decided it.

mod causes;
mod endings;
mod text;

use clap::Args;
use serde_json::json;

use super::heading::entry;
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::{History, HistoryError, RunView, Scope};
use crate::output;
use causes::{Causes, Narrow};

const EXAMPLES: &str = "\
Examples:
  lineclear why                          everything of the last run that did not simply succeed
  lineclear why last-failed              the same of the last run that failed
  lineclear why last deploy              one job: why it ran or did not, what it waited for, what its caches found
  lineclear why last test pytest         one step
  lineclear why --format json

For each there is the evaluated expression with the value that decided, the place in the workflow as it was then, the last lines
of what failed, and what to type next.";

/// Arguments of `why`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WhyArgs {
    /// Which run.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,

    /// Only this job.
    #[arg(value_name = "JOB")]
    job: Option<String>,

    /// Only this step.
    #[arg(value_name = "STEP")]
    step: Option<String>,

    #[command(flatten)]
    scope: Scope,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `why`.
pub(crate) fn run(args: &WhyArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &WhyArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let summary = history.select(&args.run)?;
    let view = RunView::read(&history.store, summary)?;
    let narrow = match (&args.job, &args.step) {
        (None, _) => Narrow::Run,
        (Some(job), None) => Narrow::Jobs(view.jobs_called(job)?),
        (Some(job), Some(step)) => {
            let jobs = view.jobs_called(job)?;
            let steps: Vec<_> = jobs.iter().filter_map(|job| Some((*job, job.step(step).ok()?))).collect();
            if let (true, Some(first)) = (steps.is_empty(), jobs.first()) {
                first.step(step)?;
            }
            Narrow::Steps(steps)
        }
    };
    let causes = Causes::gather(&history, &view, narrow)?;
    match args.format {
        Shape::Json => print_json(&json!({
            "run": entry(&history, &view.summary),
            "causes": causes.all,
            "notices": causes.notices,
            "damage": view.damage,
            "next": causes.next,
        })),
        Shape::Text => output::print(&text::of(&history, &view, &causes, args.job.is_some(), output::stdout_style())),
    }
    Ok(Exit::Success)
}
