//! Which part of a long list does a caller get, and how is it found?

use groundrun_model::kind::{Kind, Record};
use groundrun_model::selector::Selector;
use groundrun_model::{Project, Region, Result};
use groundrun_store::{Cursor, Query, Store};

/// How many records are read at a time where a selector decides which of them count.
const PORTION: usize = 200;

/// Where to list: one region of a project, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The project.
    pub project: Project,
    /// The region; `None` for all.
    pub region: Option<Region>,
}

/// Which part of a list a caller wants.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// By labels.
    pub selector: Selector,
    /// How many at most; `None` for all.
    pub limit: Option<usize>,
    /// Where the page before this one ended.
    pub after: Option<Cursor>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// What is on this page, newest first.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl Page {
    /// Cuts this page out of `all`, newest first, which is all that there is or its beginning with at least
    /// one more item than a page has.
    pub(crate) fn cut<T>(&self, all: Vec<T>, place: impl Fn(&T) -> Cursor) -> Listing<T> {
        let behind = |cursor: &Cursor, after: &Cursor| {
            (cursor.created, &cursor.name, &cursor.location) < (after.created, &after.name, &after.location)
        };
        let mut rest = all
            .into_iter()
            .filter(|item| self.after.as_ref().is_none_or(|after| behind(&place(item), after)))
            .peekable();
        let items: Vec<T> = rest.by_ref().take(self.limit.unwrap_or(usize::MAX)).collect();
        let next = rest.peek().and(items.last()).map(&place);
        Listing { items, next }
    }
}

/// The records of a scope behind the place where the page before ended, newest first. They are read in
/// portions until there are enough for the page, so that a page costs the same in a short list and in a long
/// one.
#[derive(Debug)]
pub(crate) struct Walk {
    query: Query,
    /// How many are enough; `None` for all.
    enough: Option<usize>,
    is_over: bool,
}

impl Walk {
    /// A walk through the records of `kind` for `page`.
    pub(crate) fn new(kind: Kind, scope: &Scope, page: &Page) -> Self {
        let mut query = Query::new(kind, scope.project.id.to_string());
        query.location = scope.region.as_ref().map(ToString::to_string);
        query.after.clone_from(&page.after);
        // One more than the page has tells whether there is another page.
        let enough = page.limit.map(|limit| limit.saturating_add(1));
        let portion = if page.selector.is_empty() { enough } else { enough.map(|it| it.max(PORTION)) };
        query.limit = portion.map(|portion| u32::try_from(portion).unwrap_or(u32::MAX));
        Self { query, enough, is_over: false }
    }

    /// The records that the resource `parent` owns only.
    pub(crate) fn of(mut self, parent: Option<&str>) -> Self {
        self.query.parent = parent.map(str::to_owned);
        self
    }

    /// The next portion, where `found` records were chosen so far; `None` if they are enough or all.
    pub(crate) async fn next(&mut self, store: &Store, found: usize) -> Result<Option<Vec<Record>>> {
        if self.is_over || self.enough.is_some_and(|enough| found >= enough) {
            return Ok(None);
        }
        let records = store.list(&self.query).await?;
        self.is_over = self.query.limit.is_none_or(|limit| records.len() < limit as usize);
        match records.last() {
            Some(last) => self.query.after = Some(Cursor::behind(last)),
            None => return Ok(None),
        }
        Ok(Some(records))
    }
}
