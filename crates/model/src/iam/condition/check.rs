//! Is an expression one that IAM accepts as a condition?
//!
//! Conditions have fewer functions than the language has, and every attribute has a type: what cannot be
//! evaluated is refused when the policy is written, not found out at a request.

use cel::Value;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators as op};

use super::{ConditionRequest, ConditionResource, Problem, context, place};
use crate::time::Timestamp;

/// How many of `&&`, `||` and `!` an expression may have, as documented.
const MOST_LOGICAL_OPERATORS: usize = 12;

/// How deep the tree of an expression may be. The parser bounds brackets and not chains such as `1 + 1 + …`.
const DEEPEST_TREE: usize = 64;

/// The functions that are called on a moment, without or with a time zone.
const OF_TIME: &[&str] = &[
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
];

/// The functions that are called on a text with a text.
const OF_TEXT: &[&str] = &["contains", "endsWith", "extract", "startsWith"];

/// The type of a part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    Bool,
    Int,
    Double,
    Text,
    Time,
    Duration,
    List(Option<Box<Type>>),
}

impl Type {
    fn name(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Text => "string".to_owned(),
            Self::Time => "timestamp".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::List(None) => "list".to_owned(),
            Self::List(Some(item)) => format!("list({})", item.name()),
        }
    }
}

/// Checks that `expression`, which was parsed from `source`, is true or false of every request.
pub(super) fn is_condition(expression: &IdedExpr, source: &str) -> Result<(), Problem> {
    let mut check = Check { source, logical_operators: 0 };
    match check.type_of(expression, 0)? {
        Type::Bool => Ok(()),
        other => {
            let what = format!("the expression must be of type bool, not {}", other.name());
            Err(Problem { line: 1, column: 1, what })
        }
    }
}

struct Check<'s> {
    source: &'s str,
    logical_operators: usize,
}

impl Check<'_> {
    fn type_of(&mut self, expression: &IdedExpr, depth: usize) -> Result<Type, Problem> {
        if depth > DEEPEST_TREE {
            return Err(place::end(self.source, "the expression is nested too deep"));
        }
        match &expression.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => Err(self.unknown_name(name)),
            Expr::Select(select) => self.attribute(select),
            Expr::List(list) => {
                let mut item = None;
                for element in &list.elements {
                    let found = self.type_of(element, depth + 1)?;
                    if item.as_ref().is_some_and(|known| *known != found) {
                        return Err(self.at("[", "the items of a list must be of one type"));
                    }
                    item = Some(found);
                }
                Ok(Type::List(item.map(Box::new)))
            }
            Expr::Call(call) => self.call(expression, call, depth),
            Expr::Comprehension(_) => Err(place::end(
                self.source,
                "macros such as all() and exists() cannot be used in a condition",
            )),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(self.at("{", "messages and maps cannot be used in a condition"))
            }
        }
    }

    fn literal(&self, literal: &LiteralValue) -> Result<Type, Problem> {
        match literal {
            LiteralValue::Boolean(_) => Ok(Type::Bool),
            LiteralValue::Int(_) => Ok(Type::Int),
            LiteralValue::Double(_) => Ok(Type::Double),
            LiteralValue::String(_) => Ok(Type::Text),
            LiteralValue::Null => Err(self.at("null", "null cannot be compared with anything here")),
            LiteralValue::Bytes(_) | LiteralValue::UInt(_) => {
                Err(place::end(self.source, "bytes and unsigned numbers cannot be used in a condition"))
            }
        }
    }

    fn unknown_name(&self, name: &str) -> Problem {
        match name {
            "request" | "resource" => {
                self.at(name, format!("'{name}' is not an attribute: use {name}.ATTRIBUTE"))
            }
            "api" | "destination" | "principal" | "origin" => {
                self.at(name, format!("attributes of '{name}' are not emulated by groundrun"))
            }
            _ => self.at(name, format!("undeclared reference to '{name}'")),
        }
    }

    fn attribute(&self, select: &SelectExpr) -> Result<Type, Problem> {
        let Expr::Ident(owner) = &select.operand.expr else {
            return Err(self.at(&select.field, format!("undefined field '{}'", select.field)));
        };
        let found = match (owner.as_str(), select.field.as_str()) {
            ("request", "time") => Type::Time,
            ("request", "host" | "path") | ("resource", "name" | "service" | "type") => Type::Text,
            ("request", "auth") => {
                return Err(self.at("auth", "attributes of 'request.auth' are not emulated by groundrun"));
            }
            ("request" | "resource", field) => {
                let known = if owner == "request" { "host, path and time" } else { "name, service and type" };
                let what = format!("undefined field '{field}': {owner} has {known}");
                return Err(self.at(field, what));
            }
            (owner, _) => return Err(self.unknown_name(owner)),
        };
        Ok(if select.test { Type::Bool } else { found })
    }

    fn call(&mut self, whole: &IdedExpr, call: &CallExpr, depth: usize) -> Result<Type, Problem> {
        let name = call.func_name.as_str();
        self.count(name)?;
        if call.target.is_some() && !OF_TIME.contains(&name) && !OF_TEXT.contains(&name) {
            return Err(self.unknown_function(name));
        }
        let mut types = Vec::with_capacity(call.args.len() + 1);
        for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
            types.push(self.type_of(part, depth + 1)?);
        }
        let found = self.result(name, call.target.is_some(), &types)?;
        let is_literal = |part: &IdedExpr| matches!(part.expr, Expr::Literal(_));
        if (OF_TIME.contains(&name) || matches!(name, "timestamp" | "duration"))
            && call.args.iter().all(is_literal)
        {
            // The text of a moment, a duration or a time zone can be tried out here and now.
            self.can_be_evaluated(name, whole)?;
        }
        Ok(found)
    }

    fn count(&mut self, name: &str) -> Result<(), Problem> {
        if matches!(name, op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT) {
            self.logical_operators += 1;
        }
        if self.logical_operators > MOST_LOGICAL_OPERATORS {
            let what = format!(
                "the expression has more than {MOST_LOGICAL_OPERATORS} logical operators (&&, ||, !)"
            );
            return Err(place::end(self.source, &what));
        }
        Ok(())
    }

    /// The type that the function has for arguments of these types; of a method the first is its receiver.
    fn result(&self, name: &str, is_method: bool, types: &[Type]) -> Result<Type, Problem> {
        use Type::{Bool, Double, Duration, Int, List, Text, Time};
        let found = match (name, types) {
            (op::LOGICAL_AND | op::LOGICAL_OR, [Bool, Bool]) | (op::LOGICAL_NOT, [Bool]) => Some(Bool),
            (op::EQUALS | op::NOT_EQUALS, [a, b]) if a == b => Some(Bool),
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [a, b])
                if a == b && !matches!(a, List(_)) =>
            {
                Some(Bool)
            }
            (op::IN, [_, List(None)]) => Some(Bool),
            (op::IN, [item, List(Some(items))]) if *item == **items => Some(Bool),
            (op::CONDITIONAL, [Bool, a, b]) if a == b => Some(a.clone()),
            (op::ADD | op::SUBSTRACT, [Time, Duration]) | (op::ADD, [Duration, Time]) => Some(Time),
            (op::SUBSTRACT, [Time, Time]) => Some(Duration),
            (op::ADD | op::SUBSTRACT, [Duration, Duration]) => Some(Duration),
            (op::ADD, [Text, Text]) => Some(Text),
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [Int, Int])
            | (op::NEGATE, [Int]) => Some(Int),
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, [Double, Double])
            | (op::NEGATE, [Double]) => Some(Double),
            ("timestamp", [Text | Int | Time]) => Some(Time),
            ("duration", [Text | Duration]) => Some(Duration),
            ("extract", [Text, Text]) if is_method => Some(Text),
            (_, [Text, Text]) if is_method && OF_TEXT.contains(&name) => Some(Bool),
            (_, [Time] | [Time, Text]) if is_method && OF_TIME.contains(&name) => Some(Int),
            _ => None,
        };
        found.ok_or_else(|| self.no_overload(name, types))
    }

    fn no_overload(&self, name: &str, types: &[Type]) -> Problem {
        if name == op::INDEX {
            return self.at("[", "nothing can be indexed in a condition");
        }
        let sign = name.trim_matches(['_', '@']);
        let is_known = !sign.chars().all(|c| c.is_alphanumeric() || c == '_')
            || matches!(name, op::IN | "timestamp" | "duration")
            || OF_TEXT.contains(&name)
            || OF_TIME.contains(&name);
        if !is_known {
            return self.unknown_function(sign);
        }
        let types = types.iter().map(Type::name).collect::<Vec<_>>().join(", ");
        let sign = if name == op::CONDITIONAL { "?" } else { sign };
        self.at(sign, format!("found no matching overload for '{sign}' applied to '({types})'"))
    }

    fn unknown_function(&self, name: &str) -> Problem {
        let what = format!(
            "undeclared reference to '{name}': conditions have the functions {}, timestamp, duration and, of a \
             time, {}",
            OF_TEXT.join(", "),
            OF_TIME.join(", ")
        );
        self.at(name, what)
    }

    fn can_be_evaluated(&self, name: &str, expression: &IdedExpr) -> Result<(), Problem> {
        let resource = ConditionResource { name: "".into(), service: "", kind: "" };
        let sample = ConditionRequest {
            time: Timestamp::default(),
            host: Some(""),
            path: Some(""),
            resource: &resource,
        };
        match Value::resolve(expression, &context(&sample)) {
            Ok(_) => Ok(()),
            Err(problem) => Err(self.at(name, problem.to_string())),
        }
    }

    fn at(&self, name: &str, what: impl Into<String>) -> Problem {
        place::of(name, self.source, what)
    }
}
