//! Condition operators, by their names.

/// A condition operator, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    /// `ForAllValues:` and `ForAnyValue:`.
    pub(super) set: Option<Set>,
    pub(super) base: Base,
    /// Whether it is the form that looks for the opposite: `StringNotEquals`.
    pub(super) negated: bool,
    /// Whether `*` and `?` in the value are wildcards.
    pub(super) like: bool,
    pub(super) if_exists: bool,
}

/// What goes in front of an operator for a key of many values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// Also true where the key doesn't exist.
    All,
    Any,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Bool,
    Null,
    Text,
    Arn,
    /// Numbers, dates, addresses, bytes.
    Other,
}

/// Name, what is compared, negated, with wildcards.
const OPERATORS: [(&str, Base, bool, bool); 28] = [
    ("Bool", Base::Bool, false, false),
    ("Null", Base::Null, false, false),
    ("StringEquals", Base::Text, false, false),
    ("StringNotEquals", Base::Text, true, false),
    ("StringEqualsIgnoreCase", Base::Text, false, false),
    ("StringNotEqualsIgnoreCase", Base::Text, true, false),
    ("StringLike", Base::Text, false, true),
    ("StringNotLike", Base::Text, true, true),
    ("ArnEquals", Base::Arn, false, true),
    ("ArnLike", Base::Arn, false, true),
    ("ArnNotEquals", Base::Arn, true, true),
    ("ArnNotLike", Base::Arn, true, true),
    ("NumericEquals", Base::Other, false, false),
    ("NumericNotEquals", Base::Other, true, false),
    ("NumericLessThan", Base::Other, false, false),
    ("NumericLessThanEquals", Base::Other, false, false),
    ("NumericGreaterThan", Base::Other, false, false),
    ("NumericGreaterThanEquals", Base::Other, false, false),
    ("DateEquals", Base::Other, false, false),
    ("DateNotEquals", Base::Other, true, false),
    ("DateLessThan", Base::Other, false, false),
    ("DateLessThanEquals", Base::Other, false, false),
    ("DateGreaterThan", Base::Other, false, false),
    ("DateGreaterThanEquals", Base::Other, false, false),
    ("IpAddress", Base::Other, false, false),
    ("NotIpAddress", Base::Other, true, false),
    ("BinaryEquals", Base::Other, false, false),
    ("BinaryNotEquals", Base::Other, true, false),
];

impl Operator {
    /// By its name; none where IAM has no such operator.
    pub(super) fn new(name: &str) -> Option<Self> {
        let (set, rest) = match name.split_once(':') {
            None => (None, name),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Some(Set::All), rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Some(Set::Any), rest),
            Some((_, _)) => return None,
        };
        let tail = rest
            .len()
            .checked_sub("IfExists".len())
            .filter(|at| rest.is_char_boundary(*at));
        let (base, if_exists) = match tail {
            Some(at) if rest[at..].eq_ignore_ascii_case("IfExists") => (&rest[..at], true),
            Some(_) | None => (rest, false),
        };
        let row = OPERATORS
            .iter()
            .find(|row| row.0.eq_ignore_ascii_case(base))?;
        // Null asks whether the key exists, so there is no NullIfExists.
        if row.1 == Base::Null && (if_exists || set.is_some()) {
            return None;
        }
        Some(Self {
            set,
            base: row.1,
            negated: row.2,
            like: row.3,
            if_exists,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_taken_apart() {
        let read = Operator::new("ForAllValues:StringNotLikeIfExists").expect("it is one");
        assert_eq!((read.set, read.base), (Some(Set::All), Base::Text));
        assert!(read.negated && read.like && read.if_exists);
        for name in [
            "BoolIfExist",
            "NullIfExists",
            "Boolean",
            "ForEach:Bool",
            "",
            "é",
            "IfExists",
        ] {
            assert_eq!(Operator::new(name), None, "{name}");
        }
    }
}
