//! What have services and instances left in the log?

use std::cmp::Ordering;
use std::sync::Arc;

use groundrun_model::iam::Resource;
use groundrun_model::log::{Filter, LogEntry, Place};
use groundrun_model::{Project, Result};

use crate::{Caller, Engine};

/// Which entries to list.
#[derive(Debug, Clone)]
pub struct LogQuery {
    /// Of these projects.
    pub projects: Vec<Project>,
    /// Those that the filter chooses.
    pub filter: Filter,
    /// Whether the newest come first.
    pub descending: bool,
    /// How many at most.
    pub limit: usize,
    /// Where the page before this one ended.
    pub after: Option<Place>,
}

/// A part of the log.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// What is on this page.
    pub entries: Vec<Arc<LogEntry>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
}

impl Engine {
    /// The entries that the query asks for, by time.
    ///
    /// # Errors
    /// 403 if the caller may not read the log of a project.
    pub async fn list_log_entries(&self, caller: &Caller, query: &LogQuery) -> Result<LogPage> {
        for project in &query.projects {
            let _allowed = self.allow(caller, "logging.logEntries.list", Resource::Project(project)).await?;
        }
        let order = |a: Place, b: Place| match query.descending {
            true => b.cmp(&a),
            false => a.cmp(&b),
        };
        let is_behind = |place: Place| query.after.is_none_or(|after| order(after, place) == Ordering::Less);
        let mut entries = self.logs().read(|service| query.projects.contains(&service.project));
        entries.retain(|entry| is_behind(entry.place()) && query.filter.matches(entry));
        entries.sort_by(|a, b| order(a.place(), b.place()));
        let has_more = entries.len() > query.limit;
        entries.truncate(query.limit);
        let next = entries.last().filter(|_| has_more).map(|entry| entry.place());
        Ok(LogPage { entries, next })
    }
}
