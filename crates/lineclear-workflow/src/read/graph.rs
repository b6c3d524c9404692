//! The graph that `needs` makes of the jobs.

use std::collections::{HashMap, HashSet};

use lineclear_source::{Diagnostic, Span};

use super::Reader;
use crate::{Job, code};

impl Reader {
    /// Checks that every job can start: each need exists, and none waits for itself, however far around.
    ///
    /// `ids` are all jobs of the file, also those of which nothing could be understood.
    pub(super) fn check_needs(&mut self, jobs: &[Job], ids: &[&str], jobs_key: Span) {
        let all: HashSet<String> = ids.iter().map(|id| id.to_ascii_lowercase()).collect();
        let index: HashMap<String, usize> =
            jobs.iter().enumerate().map(|(at, job)| (job.id.to_ascii_lowercase(), at)).collect();
        let mut needs: Vec<Vec<usize>> = Vec::with_capacity(jobs.len());
        for job in jobs {
            let mut known = Vec::new();
            for need in &job.needs {
                match index.get(&need.to_ascii_lowercase()) {
                    Some(&at) => known.push(at),
                    None if all.contains(&need.to_ascii_lowercase()) => {}
                    None => {
                        let others = ids.iter().copied().filter(|id| !id.eq_ignore_ascii_case(&job.id));
                        let message = match self.suggest(need, others) {
                            Some(near) => format!(
                                "job `{}` needs `{}`, which does not exist; did you mean `{near}`?",
                                job.id.value, need.value
                            ),
                            None => format!("job `{}` needs `{}`, which does not exist", job.id.value, need.value),
                        };
                        self.error(code::NEEDS_UNKNOWN, need.span, message);
                    }
                }
            }
            needs.push(known);
        }
        let cycles = cycles(&needs);
        for cycle in &cycles {
            self.report_cycle(jobs, cycle);
        }
        let all_were_read = !jobs.is_empty() && jobs.len() == ids.len();
        if cycles.is_empty() && all_were_read && jobs.iter().all(|job| !job.needs.is_empty()) {
            let message = "every job needs another one, so none can start: at least one must have no `needs`";
            self.error(code::NO_FIRST_JOB, jobs_key, message);
        }
    }

    fn report_cycle(&mut self, jobs: &[Job], cycle: &[usize]) {
        let span_of_need = |from: usize, to: usize| {
            let need = jobs[from].needs.iter().find(|need| need.eq_ignore_ascii_case(&jobs[to].id));
            need.map_or(jobs[from].id.span, |need| need.span)
        };
        let next = |at: usize| cycle[(at + 1) % cycle.len()];
        let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|&at| jobs[at].id.as_str()).collect();
        let message = match cycle {
            [only] => format!("job `{}` needs itself, so it never starts", jobs[*only].id.value),
            _ => format!("these jobs wait for each other and never start: {}", names.join(" → ")),
        };
        let mut diagnostic = Diagnostic::error(code::NEEDS_CYCLE, message).at(span_of_need(cycle[0], next(0)));
        for (at, &job) in cycle.iter().enumerate().skip(1) {
            let words = format!("`{}` needs `{}`", jobs[job].id.value, jobs[next(at)].id.value);
            diagnostic = diagnostic.label(span_of_need(job, next(at)), words);
        }
        self.report(diagnostic);
    }
}

/// One cycle for each knot of nodes that can never be reached from a node without needs. Each begins with its first node.
fn cycles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    // Take away, again and again, the jobs whose needs are all gone: what stays is on a cycle, or waits for one.
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (job, list) in needs.iter().enumerate() {
        for &need in list {
            dependants[need].push(job);
        }
    }
    let mut ready: Vec<usize> = (0..needs.len()).filter(|&job| waiting[job] == 0).collect();
    while let Some(job) = ready.pop() {
        for &dependant in &dependants[job] {
            waiting[dependant] -= 1;
            if waiting[dependant] == 0 {
                ready.push(dependant);
            }
        }
    }
    // Every job that is left has a need that is left: following those must come round.
    let mut seen_in_walk = vec![0; needs.len()];
    let mut found = Vec::new();
    for start in (0..needs.len()).filter(|&job| waiting[job] > 0) {
        let mut path = Vec::new();
        let mut at = start;
        while seen_in_walk[at] == 0 {
            seen_in_walk[at] = start + 1;
            path.push(at);
            match needs[at].iter().find(|&&need| waiting[need] > 0) {
                Some(&need) => at = need,
                None => break,
            }
        }
        if seen_in_walk[at] == start + 1
            && let Some(begin) = path.iter().position(|&job| job == at)
        {
            let mut cycle = path.split_off(begin);
            let first = cycle.iter().enumerate().min_by_key(|&(_, job)| job).map_or(0, |(place, _)| place);
            cycle.rotate_left(first);
            found.push(cycle);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_knot_gives_one_cycle() {
        assert!(cycles(&[vec![], vec![0], vec![0, 1]]).is_empty());
        assert_eq!(cycles(&[vec![1], vec![2], vec![0], vec![0]]), [vec![0, 1, 2]]);
        assert_eq!(cycles(&[vec![0], vec![], vec![3], vec![2]]), [vec![0], vec![2, 3]]);
    }

    #[test]
    fn a_long_chain_does_not_need_a_deep_stack() {
        let chain: Vec<Vec<usize>> =
            (0..200_000).map(|at| if at == 0 { vec![199_999] } else { vec![at - 1] }).collect();
        assert_eq!(cycles(&chain)[0].len(), 200_000);
    }
}
