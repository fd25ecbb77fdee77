//! When does a conditional binding count?
//!
//! A condition is an expression in the Common Expression Language over attributes of the request and of
//! the resource: <https://cloud.google.com/iam/docs/conditions-attribute-reference>. It is compiled when
//! its policy is written and when a route is built, and evaluated at each request that needs it.

mod check;
mod extract;
mod place;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use cel::parser::PrattParser;
use cel::{Context, Env, Value};

use super::Condition;
use crate::time::Timestamp;

/// The longest expression, in bytes: the parser and the stack are never given more.
pub const LONGEST_EXPRESSION: usize = 4096;

/// The longest title, in characters, as documented.
pub const LONGEST_TITLE: usize = 100;

/// The longest description, in characters, as documented.
pub const LONGEST_DESCRIPTION: usize = 256;

/// How deep an expression may be nested: far below what a thread's stack bears.
const DEEPEST: u16 = 32;

/// What a condition is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionRequest<'a> {
    /// `request.time`: when the request is judged.
    pub time: Timestamp,
    /// `request.host`: the host of the URL that is called, in lower case and without a port. `None` in
    /// calls of the API, whose conditions cannot look at it.
    pub host: Option<&'a str>,
    /// `request.path`: the path of the URL that is called, as an instance sees it, without the query: needless
    /// escapes (`%61`) are decoded; `%2E`, `%2F`, `//`, dot segments and capitals stay as they were sent, and an
    /// instance that reads them otherwise must not be guarded by a prefix alone. `None` as above.
    pub path: Option<&'a str>,
    /// `resource`: on what the permission is asked for.
    pub resource: &'a ConditionResource,
}

/// What a condition sees of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionResource {
    /// `resource.name`: `projects/P/locations/L/services/S`.
    pub name: Arc<str>,
    /// `resource.service`: `run.googleapis.com`.
    pub service: &'static str,
    /// `resource.type`: `run.googleapis.com/Service`.
    pub kind: &'static str,
}

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line; the first is 1.
    pub line: usize,
    /// The column in characters; the first is 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// A condition that can be evaluated. Clones are one.
#[derive(Debug, Clone)]
pub struct Compiled(Arc<IdedExpr>);

/// The functions of conditions. Building it costs more than a request may.
static FUNCTIONS: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    extract::declare(&mut env);
    Arc::new(env)
});

impl Condition {
    /// The condition, ready to be evaluated.
    ///
    /// # Errors
    /// The first thing that is wrong with the expression: syntax, an attribute or function that IAM
    /// conditions do not have or groundrun does not emulate, types that do not fit, a result that is no
    /// boolean, more than 12 logical operators.
    pub fn compile(&self) -> Result<Compiled, Problem> {
        let source = self.expression.as_str();
        if source.len() > LONGEST_EXPRESSION {
            let what = format!("the expression has more than {LONGEST_EXPRESSION} bytes");
            return Err(Problem { line: 1, column: 1, what });
        }
        // The parser does not count these when it bounds the depth.
        if source.matches('?').count() > usize::from(DEEPEST) {
            return Err(place::end(source, "the expression is nested too deep"));
        }
        let parser = PrattParser::new().max_recursion_depth(DEEPEST).error_reporting_limit(1);
        let expression = parser.parse(source).map_err(|errors| syntax_problem(&errors, source))?;
        check::is_condition(&expression, source)?;
        Ok(Compiled(Arc::new(expression)))
    }
}

impl Compiled {
    /// Whether the condition is met.
    ///
    /// # Errors
    /// Why it cannot be said: then it is not met, as documented.
    pub fn holds(&self, request: &ConditionRequest<'_>) -> Result<bool, String> {
        match Value::resolve(&self.0, &context(request)) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("its expression is not true or false".to_owned()),
            Err(cel::ExecutionError::NoSuchKey(key)) => Err(format!("the call has no request.{key}")),
            Err(problem) => Err(problem.to_string()),
        }
    }
}

/// What an expression sees.
fn context(request: &ConditionRequest<'_>) -> Context<'static, 'static> {
    let text = |text: &str| Value::String(Arc::new(text.to_owned()));
    let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
    let mut seen = HashMap::<&str, Value>::new();
    seen.extend(request.host.map(|host| ("host", text(host))));
    seen.extend(request.path.map(|path| ("path", text(path))));
    // The library makes its own moments, so that no other library of dates is needed.
    seen.extend(Value::resolve(&moment(request.time), &context).map(|time| ("time", time)));
    context.add_variable_from_value("request", seen);
    let resource = request.resource;
    let resource = HashMap::from([
        ("name", text(&resource.name)),
        ("service", text(resource.service)),
        ("type", text(resource.kind)),
    ]);
    context.add_variable_from_value("resource", resource);
    context
}

/// `timestamp("…")`.
fn moment(time: Timestamp) -> IdedExpr {
    let text = Expr::Literal(LiteralValue::String(time.to_string().into()));
    let args = vec![IdedExpr { id: 0, expr: text }];
    let call = CallExpr { func_name: "timestamp".to_owned(), target: None, args };
    IdedExpr { id: 0, expr: Expr::Call(call) }
}

/// The first error of the parser, in one line.
fn syntax_problem(errors: &cel::ParseErrors, source: &str) -> Problem {
    let positive = |number: isize| usize::try_from(number).unwrap_or(1).max(1);
    match errors.errors.first() {
        Some(first) if first.pos.0 > 0 => {
            let (line, column) = (positive(first.pos.0), positive(first.pos.1));
            Problem { line, column, what: first.msg.lines().next().unwrap_or_default().to_owned() }
        }
        Some(first) => place::end(source, first.msg.lines().next().unwrap_or_default()),
        None => place::end(source, "the expression cannot be read"),
    }
}

#[cfg(test)]
mod tests;
